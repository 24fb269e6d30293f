/**
 * Calls to etcd that end in time. The endpoints are tried in turn; a call that failed for a
 * reason of the connection gets a fresh client for its next try, and one whose token ended gets
 * a new token. Certificates and passwords that change are used from the next call on.
 */
import type { Etcd3 } from 'etcd3';
import pRetry from 'p-retry';
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { type CallOptions, withToken } from './client.ts';
import { EtcdClients } from './clients.ts';
import { type EtcdAccess, type Login, noCredentials } from './credentials.ts';
import type { OnEtcdEvent } from './events.ts';
import { FaultExplainer, type Task } from './explain.ts';
import { type EtcdFault, isConnectionFault, isFault } from './faults.ts';
import type { Lookup } from './names.ts';
import { RotatingCredentials } from './rotation.ts';
import { EtcdTokens, type Token } from './tokens.ts';

/** One try on one endpoint, and all tries of a call together. */
export interface CallTimes {
  readonly tryMs: number;
  readonly budgetMs: number;
}

export const shortCall: CallTimes = { tryMs: 600, budgetMs: 1500 };

export interface EtcdSurroundings {
  readonly access?: EtcdAccess;
  readonly onEvent?: OnEtcdEvent;
  /** How names are looked up; the system's way if not given. */
  readonly lookup?: Lookup;
}

/** A client for one stream, and how to open the stream on it. */
export interface StreamClient extends Disposable {
  readonly client: Etcd3;
  readonly options: CallOptions;
  readonly token: Token;
  /** Of the endpoint. */
  readonly url: string;
  /** There are newer credentials than this client's, and etcd accepts them. */
  readonly isOutdated: () => boolean;
}

/** Of a stream that ended. */
export type Ended = Pick<StreamClient, 'token' | 'url'>;

type Work<T> = (client: Etcd3, options: CallOptions) => Promise<T>;

export class EtcdEndpoints implements AsyncDisposable {
  readonly #tries: number;
  readonly #clock: Clock;
  readonly #onEvent: OnEtcdEvent;
  readonly #credentials: RotatingCredentials;
  readonly #clients: EtcdClients;
  readonly #tokens: EtcdTokens;
  readonly #explainer: FaultExplainer;
  #toldInClear = false;

  /** @param random where in the list to begin: a thousand sidecars spread over the members. */
  constructor(
    urls: readonly string[],
    clock: Clock,
    random: () => number,
    { access = noCredentials, onEvent = () => {}, lookup }: EtcdSurroundings = {},
  ) {
    this.#tries = Math.max(2, urls.length);
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#credentials = new RotatingCredentials(access.files, access.credentials, clock, onEvent);
    this.#tokens = new EtcdTokens(clock, random, onEvent);
    this.#explainer = new FaultExplainer(this.#credentials, clock);
    this.#clients = new EtcdClients(
      {
        ...{ urls, credentials: this.#credentials, serverName: access.serverName, lookup },
        first: Math.floor(random() * urls.length),
      },
      clock,
    );
  }

  /**
   * A client for one stream, with a token where etcd asks for one. The caller disposes of it.
   * @throws EtcdFault when there is none to be had in time; the signal's reason.
   */
  async open({ what }: Task, signal: AbortSignal): Promise<StreamClient> {
    this.#credentials.look();
    const token = await this.#token();
    await this.#clients.nameKnown(what);
    signal.throwIfAborted();
    const { changed } = this.#credentials;
    const { url } = this.#clients;
    const client = this.#clients.make();
    return {
      ...{ client, token, url, options: withToken(token) },
      isOutdated: () => changed.aborted && this.#clients.areNewestProven,
      [Symbol.dispose]: () => this.#clients.close(client),
    };
  }

  /**
   * What ended a stream, in words. The next one goes elsewhere if it was the connection, unless
   * the others have moved on already; and with a new token if it was the token.
   */
  streamFailed(
    task: Task,
    error: unknown,
    stream: Ended | undefined,
    timeoutMs: number,
  ): EtcdFault {
    const url = stream?.url ?? this.#clients.url;
    const fault = this.#explainer.explain(task, url, error, timeoutMs);
    if (isFault(fault, 'ETCD_TOKEN')) this.#tokens.drop(stream?.token);
    // One that could not be opened has moved on by itself.
    if (isConnectionFault(fault) && stream?.url === this.#clients.url) this.#clients.next();
    return fault;
  }

  /** Looks whether the files have changed, beside the caller: each call does it by itself. */
  look(): void {
    this.#credentials.look();
  }

  /** @throws EtcdFault of the last try, DeadlineError, or the signal's reason. */
  async call<T>(
    task: Task,
    { tryMs, budgetMs }: CallTimes,
    work: Work<T>,
    signal: AbortSignal,
  ): Promise<T> {
    this.#credentials.look();
    const attempt = async (within: AbortSignal, isLast = false): Promise<T> => {
      const token = await this.#token();
      within.throwIfAborted();
      try {
        return await this.#once(task, tryMs, token, work, within);
      } catch (error) {
        if (!isFault(error, 'ETCD_TOKEN')) throw error;
        this.#tokens.drop(token);
        if (isLast || !this.#credentials.current.login) throw error;
        return await attempt(within, true);
      }
    };
    return await withDeadline(
      { what: task.what, timeoutMs: budgetMs, clock: this.#clock },
      (within) =>
        pRetry(() => attempt(within), {
          retries: this.#tries - 1,
          minTimeout: 50,
          maxTimeout: 200,
          randomize: true,
          signal: within,
          shouldRetry: ({ error }) => isConnectionFault(error),
        }),
      signal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clients[Symbol.dispose]();
  }

  /** One try, on the client that all unary calls share. */
  async #once<T>(
    task: Task,
    tryMs: number,
    token: Token,
    work: Work<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    await this.#clients.nameKnown(task.what);
    signal?.throwIfAborted();
    const { url } = this.#clients;
    return await this.#clients.share(async (client) => {
      try {
        return await withDeadline(
          { what: task.what, timeoutMs: tryMs, clock: this.#clock },
          // etcd must give up no later than we do, else its late effect surprises us.
          () => work(client, { ...withToken(token), deadline: Date.now() + tryMs }),
          signal,
        );
      } catch (error) {
        signal?.throwIfAborted();
        const fault = this.#explainer.explain(task, url, error, tryMs);
        if (isConnectionFault(fault) && this.#clients.isShared(client)) {
          this.#clients.next();
        }
        throw fault;
      }
    });
  }

  async #token(): Promise<Token> {
    const { login } = this.#credentials.current;
    return login && (await this.#tokens.get(login, (by) => this.#authenticate(by)));
  }

  async #authenticate({ user, password }: Login): Promise<string> {
    if (!this.#toldInClear && this.#clients.url.startsWith('http:')) {
      this.#toldInClear = true;
      this.#onEvent({ kind: 'password-in-clear' });
    }
    const task = { what: `etcd authentication of user ${user}` };
    const { token } = await this.#once(task, shortCall.tryMs, undefined, (client, options) =>
      client.auth.authenticate({ name: user, password }, options),
    );
    return token;
  }
}
