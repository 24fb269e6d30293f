/**
 * Holds one key in etcd on a short lease.
 *
 * `hold` is the only thing that grants or renews the lease, and it asks for the
 * passing probe that justifies it: there is no renewal without one, and none for
 * one that has grown old, as after the process was stopped between the two. Every
 * call ends within the call budget; what did not succeed is tried again by the next
 * probe, since each call starts from what etcd holds and not from what was done.
 */
import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { CodedError } from '../lib/errors.ts';
import type { Lease, LeaseStore, StoredKey } from '../registry/store.ts';
import { claim } from './claim.ts';
import type { PassedProbe } from './probe.ts';
import { etcdCallBudgetMs } from './timing.ts';

export type Held =
  | { readonly kind: 'held' }
  | { readonly kind: 'written'; readonly because: string }
  | { readonly kind: 'taken'; readonly by: StoredKey };

export interface RegistrationSettings {
  readonly key: string;
  readonly address: string;
  readonly ttlMs: number;
  /** Evidence older than this, from the start of its probe, justifies nothing. */
  readonly evidenceMs: number;
}

export class Registration {
  readonly #settings: RegistrationSettings;
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  #lease: Lease | undefined;
  #validUntilMs = 0;
  #hasHeld = false;

  constructor(settings: RegistrationSettings, store: LeaseStore, clock: Clock) {
    this.#settings = settings;
    this.#store = store;
    this.#clock = clock;
  }

  /** How long the lease still holds, counted from the sending of the last renewal; 0 without one. */
  get remainingMs(): number {
    return this.#lease ? Math.max(0, this.#validUntilMs - this.#clock.now()) : 0;
  }

  /** Is there a lease that a release would have to end? */
  get hasLease(): boolean {
    return this.#lease !== undefined;
  }

  /** @throws when etcd did not answer in time or refused: nothing is known, try again. */
  async hold(evidence: PassedProbe, signal: AbortSignal): Promise<Held> {
    return await withDeadline(
      { what: 'holding the key', timeoutMs: etcdCallBudgetMs, clock: this.#clock },
      async (within) => {
        const lease = await this.#renewOrGrant(evidence, within);
        return await this.#claimKey(lease, within);
      },
      signal,
    );
  }

  /** Ends the lease, and the key with it. Without a lease there is nothing to do. */
  async release(signal: AbortSignal): Promise<void> {
    if (!this.#lease) return;
    await this.#store.revokeLease(this.#lease.leaseId, signal);
    this.#lease = undefined;
  }

  async #renewOrGrant(evidence: PassedProbe, signal: AbortSignal): Promise<Lease> {
    const sentAtMs = this.#clock.now();
    if (sentAtMs - evidence.startedAtMs > this.#settings.evidenceMs) {
      throw new CodedError(
        'STALE_EVIDENCE',
        'the passing probe is too old to renew on: probing again',
      );
    }
    if (this.#lease) {
      const ttlMs = await this.#store.renewLease(this.#lease.leaseId, signal);
      if (ttlMs > 0) {
        this.#validUntilMs = sentAtMs + ttlMs;
        return this.#lease;
      }
      this.#lease = undefined;
    }
    this.#lease = await this.#store.grantLease(this.#settings.ttlMs, signal);
    this.#validUntilMs = sentAtMs + this.#lease.ttlMs;
    return this.#lease;
  }

  async #claimKey({ leaseId }: Lease, signal: AbortSignal): Promise<Held> {
    const { key, address: value } = this.#settings;
    const found = await this.#store.readKey(key, signal);
    const decision = claim(found, { value, leaseId, hasHeld: this.#hasHeld });
    if (decision.kind === 'taken') return decision;
    if (decision.kind === 'write') {
      if (!(await this.#store.putIfUnchanged({ key, value, leaseId }, found, signal))) {
        throw new CodedError(
          'LOST_RACE',
          'the key changed while it was being written: trying again',
        );
      }
    }
    this.#hasHeld = true;
    return decision.kind === 'held' ? decision : { kind: 'written', because: decision.because };
  }
}
