/**
 * Makes etcd agree with the judgement: one key, and a record of what is known beside it.
 *
 * Every call ends within the call budget. What did not succeed is tried again by the next
 * turn, since each call starts from what etcd holds and not from what was done.
 */
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import type { DrainOrder } from '../../registry/drain-order.ts';
import type { LeaseStore } from '../../registry/store.ts';
import type { PassedProbe, ProbeResult } from '../probe/result.ts';
import { etcdCallBudgetMs } from '../timing.ts';
import { refuseStale } from './evidence.ts';
import { Holding, type HoldingSettings } from './holding.ts';
import { KeyLease, type KeyLeaseObserver, type KeyLeaseSettings } from './key-lease.ts';
import { Leaving } from './leaving.ts';
import type { Outcome } from './outcome.ts';
import { Presence } from './presence.ts';
import { Sight, type Standing } from './sight.ts';

export interface RegistrationSettings extends KeyLeaseSettings, HoldingSettings {}

export class Registration {
  readonly #settings: RegistrationSettings;
  readonly #clock: Clock;
  readonly #lease: KeyLease;
  readonly #presence: Presence;
  readonly #sight: Sight;
  readonly #holding: Holding;
  readonly #leaving: Leaving;

  constructor(
    settings: RegistrationSettings,
    store: LeaseStore,
    clock: Clock,
    observer: KeyLeaseObserver,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#lease = new KeyLease(settings, store, clock, observer);
    this.#presence = new Presence(settings, store, clock);
    this.#sight = new Sight(settings, store);
    this.#holding = new Holding(settings, store, this.#lease, this.#presence, this.#sight);
    this.#leaving = new Leaving(settings, store, clock, this.#lease, this.#presence, this.#sight);
  }

  /** How long the lease of the key still holds; 0 without one. */
  get remainingMs(): number {
    return this.#lease.remainingMs;
  }

  /** When a lease of ours was last found gone: etcd may have forgotten others too. -Infinity: never. */
  get leaseLostAtMs(): number {
    return Math.max(this.#lease.lostAtMs, this.#presence.lostAtMs);
  }

  get standing(): Standing {
    return this.#sight.standing;
  }

  /** An operator wants the backend drained. */
  get order(): DrainOrder | undefined {
    return this.#sight.order;
  }

  /**
   * Makes etcd hold the key, and the record beside it.
   * @param evidence undefined: nothing is granted or renewed, and what is there is only mended.
   * @throws when etcd did not answer in time or refused: nothing is known, try again.
   */
  async hold(
    evidence: PassedProbe | undefined,
    record: string,
    signal: AbortSignal,
  ): Promise<Outcome> {
    return await this.#inTime('holding the key', signal, (within) =>
      this.#holding.hold(evidence, record, within),
    );
  }

  /**
   * Makes etcd not hold the key, and the record say why, for as long as this is called.
   * @param evidence a probe that has just ended: without one nobody vouches for the record.
   * @throws as `hold`.
   */
  async drop(evidence: ProbeResult, record: string, signal: AbortSignal): Promise<Outcome> {
    return await this.#inTime('removing the key', signal, async (within) => {
      // Whatever becomes of the rest.
      this.#holding.forget();
      const leaseId = this.#lease.id;
      if (leaseId !== undefined) return await this.#leaving.leave(leaseId, record, within);
      refuseStale(evidence, this.#clock.now(), this.#settings.evidenceMs);
      return await this.#leaving.stayAway(record, within);
    });
  }

  /** Ends both leases, and the key and its record with them. @throws as `hold`. */
  async release(signal: AbortSignal): Promise<void> {
    await this.#inTime('removing the key', signal, (within) =>
      Promise.all([this.#lease.revoke(within), this.#presence.end(within)]),
    );
  }

  #inTime<T>(what: string, signal: AbortSignal, work: (within: AbortSignal) => Promise<T>) {
    return withDeadline({ what, timeoutMs: etcdCallBudgetMs, clock: this.#clock }, work, signal);
  }
}
