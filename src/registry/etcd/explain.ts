/** A failed call in the words of whoever has to mend it: what failed, where, and what is missing. */
import type { Clock } from '../../lib/clock.ts';
import { expiredNote } from './credentials.ts';
import { type EtcdFault, faultOf, isAboutCertificates, noReason, reasonOf } from './faults.ts';
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
    const why = this.#why(url, error);
    const fault = faultOf(`${what} at ${url}`, why, timeoutMs, {
      // A certificate that nobody looked at is not to blame.
      ...(isAboutCertificates(why) && {
        ETCD_CONNECTION: expiredNote(current, this.#clock.date()),
      }),
      ...(needs && { ETCD_PERMISSION: `: ${user} needs to ${needs}` }),
      ...(!current.login && { ETCD_TOKEN: ': etcd asks for a user and a password' }),
    });
    if (fault.code === 'ETCD_CONNECTION' && reasonOf(why) !== noReason) {
      this.#lastWhy = { url, error: why };
    }
    return fault;
  }

  /** The reason given last for the same endpoint, where none is given. */
  #why(url: string, error: unknown): unknown {
    const last = this.#lastWhy;
    return reasonOf(error) === noReason && last?.url === url ? last.error : error;
  }
}
