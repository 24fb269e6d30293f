/**
 * The clients of one process: one that all unary calls share, and one for each stream, since a
 * unary call that fails closes every service of its client. Where the next one connects to, and
 * with which certificates, is known here. A shared client that has had its day is closed when
 * its last call has ended, so that no call pays for another's failure.
 */
import type { Etcd3 } from 'etcd3';
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { DeadlineError } from '../../lib/errors.ts';
import { newClient } from './client.ts';
import { guardConnects } from './connect-guard.ts';
import { EtcdFault, faultOf } from './faults.ts';
import { EndpointNames, type Lookup } from './names.ts';
import type { RotatingCredentials } from './rotation.ts';
import { guardHttp2Settings } from './settings-guard.ts';

/** A name server on the same network takes milliseconds. */
const lookupMs = 600;

interface Shared {
  readonly client: Etcd3;
  readonly changed: AbortSignal;
  calls: number;
  /** etcd has answered on it. */
  proven: boolean;
}

export interface ClientsPlan {
  readonly urls: readonly string[];
  /** Where in the list to begin. */
  readonly first: number;
  readonly credentials: RotatingCredentials;
  readonly serverName?: string | undefined;
  readonly lookup?: Lookup | undefined;
}

export class EtcdClients implements Disposable {
  readonly #plan: ClientsPlan;
  readonly #clock: Clock;
  readonly #names: EndpointNames;
  readonly #open = new Set<Etcd3>();
  #shared: Shared | undefined;
  #turn: number;

  constructor(plan: ClientsPlan, clock: Clock) {
    guardHttp2Settings();
    guardConnects();
    this.#plan = plan;
    this.#clock = clock;
    this.#names = new EndpointNames(plan.lookup);
    this.#turn = plan.first;
  }

  get url(): string {
    const { urls } = this.#plan;
    return urls[this.#turn % urls.length] ?? '';
  }

  /** What comes next goes to the next endpoint. */
  next(): void {
    this.#turn += 1;
    this.#retire();
  }

  /** A client of its own, for one stream: the caller closes it. */
  make(): Etcd3 {
    const { credentials, serverName } = this.#plan;
    const made = newClient({
      url: this.url,
      credentials: credentials.current,
      serverName,
    });
    this.#open.add(made);
    return made;
  }

  close(client: Etcd3): void {
    if (this.#open.delete(client)) client.close();
  }

  /** Runs `work` on the shared client. */
  async share<T>(work: (client: Etcd3) => Promise<T>): Promise<T> {
    if (this.#shared?.changed.aborted) this.#retire();
    const { changed } = this.#plan.credentials;
    this.#shared ??= { client: this.make(), changed, calls: 0, proven: false };
    const used = this.#shared;
    used.calls += 1;
    try {
      const result = await work(used.client);
      used.proven = true;
      return result;
    } finally {
      used.calls -= 1;
      if (used !== this.#shared && used.calls === 0) this.close(used.client);
    }
  }

  /** Has etcd answered somebody who came with the newest credentials? */
  get areNewestProven(): boolean {
    return this.#shared?.proven === true && !this.#shared.changed.aborted;
  }

  isShared(client: Etcd3): boolean {
    return client === this.#shared?.client;
  }

  /** Before a connection: the endpoint's name has an address. @throws EtcdFault when not. */
  async nameKnown(task: string): Promise<void> {
    if (this.#shared && !this.#shared.changed.aborted) return;
    const name = this.#names.nameOf(this.url);
    if (name === undefined) return;
    const what = `${task} at ${this.url}: looking up ${name}`;
    try {
      await withDeadline({ what, timeoutMs: lookupMs, clock: this.#clock }, () =>
        this.#names.find(name),
      );
    } catch (error) {
      this.next();
      if (error instanceof DeadlineError) throw faultOf(what, error, lookupMs);
      throw new EtcdFault('ETCD_CONNECTION', faultOf(what, error, lookupMs).message);
    }
  }

  [Symbol.dispose](): void {
    for (const client of this.#open) this.close(client);
  }

  #retire(): void {
    const old = this.#shared;
    this.#shared = undefined;
    if (old?.calls === 0) this.close(old.client);
  }
}
