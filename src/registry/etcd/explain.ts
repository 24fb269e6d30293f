/** A failed call in the words of whoever has to mend it: what failed, where, and what is missing. */
import type { Clock } from '../../lib/clock.ts';
import { expiredNote } from './credentials.ts';
import { type EtcdFault, type FaultCode, faultOf, noReason, reasonOf } from './faults.ts';
import type { RotatingCredentials } from './rotation.ts';

export interface Task {
  /** Named in errors: "etcd list". */
  readonly what: string;
  /** What it takes, for whoever lacks it: "read /test/". */
  readonly needs?: string;
}

export class FaultExplainer {
  readonly #credentials: RotatingCredentials;
  readonly #clock: Clock;
  #lastWhy: { readonly url: string; readonly error: unknown } | undefined;

  constructor(credentials: RotatingCredentials, clock: Clock) {
    this.#credentials = credentials;
    this.#clock = clock;
  }

  explain({ what, needs }: Task, url: string, error: unknown, timeoutMs: number): EtcdFault {
    const { current } = this.#credentials;
    const user = current.login ? `user ${current.login.user}` : 'the client';
    const expired = url.startsWith('https:') ? expiredNote(current, this.#clock.date()) : '';
    const hints: Partial<Record<FaultCode, string>> = {
      ...{ ETCD_CONNECTION: expired, DEADLINE: expired },
      ...(needs && { ETCD_PERMISSION: `: ${user} needs to ${needs}` }),
      ...(!current.login && { ETCD_TOKEN: ': etcd asks for a user and a password' }),
    };
    const fault = faultOf(`${what} at ${url}`, error, timeoutMs, hints);
    if (fault.code !== 'ETCD_CONNECTION') return fault;
    if (reasonOf(error) !== noReason) this.#lastWhy = { url, error };
    else if (this.#lastWhy?.url === url) {
      return faultOf(`${what} at ${url}`, this.#lastWhy.error, timeoutMs, hints);
    }
    return fault;
  }
}
