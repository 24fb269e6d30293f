/**
 * The token that etcd gives for user and password. One authentication at a time, however many
 * wait for it: etcd spends a tenth of a second of CPU on each. After user and password were
 * refused the next attempt waits, and everybody has the reason at once meanwhile.
 */
import { type Backoff, backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Login } from './credentials.ts';
import type { OnEtcdEvent } from './events.ts';
import { isConnectionFault, reasonOf } from './faults.ts';

const afterRefusal: Backoff = { firstMs: 500, maxMs: 4000 };

/** Undefined: etcd asks for none. */
export type Token = string | undefined;

interface Refusal {
  readonly login: Login;
  readonly error: unknown;
  readonly reason: string;
  readonly attempts: number;
  readonly untilMs: number;
}

export class EtcdTokens {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onEvent: OnEtcdEvent;
  #held: { readonly user: string; readonly token: Token } | undefined;
  #refusal: Refusal | undefined;
  #pending: Promise<Token> | undefined;
  #toldOff = false;

  constructor(clock: Clock, random: () => number, onEvent: OnEtcdEvent) {
    this.#clock = clock;
    this.#random = random;
    this.#onEvent = onEvent;
  }

  /**
   * @param authenticate asks etcd, within a deadline of its own.
   * @throws whatever it throws; the same again while the back-off after a refusal lasts.
   */
  async get(login: Login, authenticate: (login: Login) => Promise<string>): Promise<Token> {
    // A token outlives a change of the password file: etcd says when it does not.
    if (this.#held?.user === login.user) return this.#held.token;
    const refusal = this.#refusal;
    if (refusal?.login === login && this.#clock.now() < refusal.untilMs) throw refusal.error;
    this.#pending ??= this.#authenticate(login, authenticate).finally(() => {
      this.#pending = undefined;
    });
    return await this.#pending;
  }

  /** etcd did not accept this token. */
  drop(token: Token): void {
    if (this.#held?.token === token) this.#held = undefined;
  }

  async #authenticate(login: Login, ask: (login: Login) => Promise<string>): Promise<Token> {
    const { user } = login;
    try {
      const token = await ask(login);
      if (this.#refusal) this.#onEvent({ kind: 'authenticated', user });
      this.#refusal = undefined;
      this.#held = { user, token };
      return token;
    } catch (error) {
      if (/authentication is not enabled/.test(reasonOf(error))) {
        if (!this.#toldOff) this.#onEvent({ kind: 'authentication-off' });
        this.#toldOff = true;
        this.#held = { user, token: undefined };
        return undefined;
      }
      if (!isConnectionFault(error)) this.#refuse(login, error);
      throw error;
    }
  }

  #refuse(login: Login, error: unknown): void {
    // Without the endpoint: one after the other would be news each time.
    const reason = reasonOf(error instanceof Error ? (error.cause ?? error) : error);
    if (this.#refusal?.reason !== reason) {
      this.#onEvent({ kind: 'authentication-failed', user: login.user, reason });
    }
    const attempts = (this.#refusal?.login === login ? this.#refusal.attempts : 0) + 1;
    const untilMs = this.#clock.now() + backoffMs(attempts, afterRefusal, this.#random);
    this.#refusal = { login, error, reason, attempts, untilMs };
  }
}
