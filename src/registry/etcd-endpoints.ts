/**
 * Calls to etcd that end in time. The endpoints are tried in turn; a call that
 * failed for a reason of the connection gets a fresh client for its next try. None
 * of the client's own policies are in use: its breaker refuses calls for 5 s after
 * etcd is well again, and its retries triple every deadline.
 */
import { Etcd3, GRPCDeadlineExceededError, isRecoverableError, type IOptions } from 'etcd3';
import pRetry from 'p-retry';
import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { DeadlineError } from '../lib/errors.ts';
import { guardHttp2Settings } from '../lib/http2-settings-guard.ts';

/** One try on one endpoint, and all tries of a call together. */
export interface CallTimes {
  readonly tryMs: number;
  readonly budgetMs: number;
}

export const shortCall: CallTimes = { tryMs: 600, budgetMs: 1500 };

type CallOptions = NonNullable<Parameters<Etcd3['kv']['range']>[1]>;

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;
const noPolicy = { execute: async (work: () => unknown) => await work() } as unknown as Policy;

/** A range of many keys in one answer: 4 MiB, the default, is too little. */
const maxAnswerBytes = 64 * 1024 * 1024;

export class EtcdEndpoints implements AsyncDisposable {
  readonly #urls: readonly string[];
  readonly #clock: Clock;
  readonly #clients = new Set<Etcd3>();
  #current: Etcd3 | undefined;
  #turn: number;
  #made = 0;

  /** @param random where in the list to begin: a thousand sidecars spread over the members. */
  constructor(urls: readonly string[], clock: Clock, random: () => number) {
    guardHttp2Settings();
    this.#urls = urls;
    this.#clock = clock;
    this.#turn = Math.floor(random() * urls.length);
  }

  get url(): string {
    return this.#urls[this.#turn % this.#urls.length] ?? '';
  }

  /**
   * A client of its own, for a stream: a unary call that fails closes every service
   * of its client, streams included. The caller closes it with `close`.
   */
  open(): Etcd3 {
    this.#made += 1;
    const client = new Etcd3({
      hosts: this.url,
      faultHandling: { global: noPolicy, host: () => noPolicy },
      grpcOptions: {
        'grpc.enable_http_proxy': 0,
        'grpc.service_config_disable_resolution': 1,
        'grpc.max_receive_message_length': maxAnswerBytes,
        'grpc.keepalive_time_ms': 5000,
        'grpc.keepalive_timeout_ms': 2000,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 1000,
        // grpc-js shares connections between clients with equal options; a fresh client
        // must mean a fresh connection, so each one's options differ in this.
        'rollcall.client': this.#made,
      },
    });
    this.#clients.add(client);
    return client;
  }

  close(client: Etcd3): void {
    if (!this.#clients.delete(client)) return;
    if (client === this.#current) this.#current = undefined;
    client.close();
  }

  /** After a failure of the connection: what comes next goes to the next endpoint. */
  next(): void {
    this.#turn += 1;
    if (this.#current) this.close(this.#current);
  }

  /**
   * @throws DeadlineError, the signal's reason, or etcd's own error of the last try.
   */
  async call<T>(
    what: string,
    { tryMs, budgetMs }: CallTimes,
    work: (client: Etcd3, options: CallOptions) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const attempt = async (within: AbortSignal) => {
      this.#current ??= this.open();
      const client = this.#current;
      const named = `${what} at ${this.url}`;
      try {
        return await withDeadline(
          { what: named, timeoutMs: tryMs, clock: this.#clock },
          // etcd must give up no later than we do, else its late effect surprises us.
          () => work(client, { deadline: Date.now() + tryMs }),
          within,
        );
      } catch (error) {
        if (client === this.#current && isConnectionFault(error)) this.next();
        // Which of the two deadlines came first is chance; the words are the same.
        throw error instanceof GRPCDeadlineExceededError ? new DeadlineError(named, tryMs) : error;
      }
    };
    return await withDeadline(
      { what, timeoutMs: budgetMs, clock: this.#clock },
      (within) =>
        pRetry(() => attempt(within), {
          retries: Math.max(1, this.#urls.length - 1),
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
    for (const client of this.#clients) this.close(client);
  }
}

/** The connection failed, or the member did: another try elsewhere may do better. */
function isConnectionFault(error: unknown): boolean {
  return error instanceof DeadlineError || (error instanceof Error && isRecoverableError(error));
}
