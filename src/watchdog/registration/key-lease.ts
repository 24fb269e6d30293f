/**
 * The lease that keeps the key. It is granted and renewed here and nowhere else, and both
 * ask for the passing probe that justifies them, and refuse one that has grown old, as
 * after the process was stopped between the two. Validity counts from the sending of a
 * renewal, on the monotonic clock, by the TTL that etcd granted.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Lease, LeaseStore } from '../../registry/store.ts';
import { refuseStale } from './evidence.ts';
import type { PassedProbe } from '../probe/result.ts';

export interface KeyLeaseSettings {
  readonly ttlMs: number;
  /** Evidence older than this, from the start of its probe, justifies nothing. */
  readonly evidenceMs: number;
}

/** Told of everything, for metrics; must not throw. */
export interface KeyLeaseObserver {
  /** @param ttlMs as granted; 0 for a lease that was gone. */
  readonly onLease: (what: 'granted' | 'renewed' | 'gone', ttlMs: number) => void;
}

export class KeyLease {
  readonly #settings: KeyLeaseSettings;
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  readonly #observer: KeyLeaseObserver;
  #lease: Lease | undefined;
  #validUntilMs = 0;
  /** When it was last found gone in etcd; -Infinity: never. */
  lostAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    settings: KeyLeaseSettings,
    store: LeaseStore,
    clock: Clock,
    observer: KeyLeaseObserver,
  ) {
    this.#settings = settings;
    this.#store = store;
    this.#clock = clock;
    this.#observer = observer;
  }

  get id(): string | undefined {
    return this.#lease?.leaseId;
  }

  /** How long it still holds; 0 without one. */
  get remainingMs(): number {
    return this.#lease ? Math.max(0, this.#validUntilMs - this.#clock.now()) : 0;
  }

  /** Without a lease there is nothing to do; a lease that is gone in etcd is gone here too. */
  async renew(evidence: PassedProbe, signal: AbortSignal): Promise<void> {
    if (!this.#lease) return;
    const sentAtMs = this.#clock.now();
    refuseStale(evidence, sentAtMs, this.#settings.evidenceMs);
    const ttlMs = await this.#store.renewLease(this.#lease.leaseId, signal);
    this.#observer.onLease(ttlMs > 0 ? 'renewed' : 'gone', ttlMs);
    if (ttlMs > 0) this.#validUntilMs = sentAtMs + ttlMs;
    else this.#lose();
  }

  /** @returns the lease that there is, or a new one. */
  async grant(evidence: PassedProbe, signal: AbortSignal): Promise<string> {
    if (this.#lease) return this.#lease.leaseId;
    const sentAtMs = this.#clock.now();
    refuseStale(evidence, sentAtMs, this.#settings.evidenceMs);
    const lease = await this.#store.grantLease(this.#settings.ttlMs, signal);
    this.#lease = lease;
    this.#validUntilMs = sentAtMs + lease.ttlMs;
    this.#observer.onLease('granted', lease.ttlMs);
    return lease.leaseId;
  }

  /** etcd does not know it any more. */
  forget(): void {
    this.#lose();
    this.#observer.onLease('gone', 0);
  }

  #lose(): void {
    this.#lease = undefined;
    this.lostAtMs = this.#clock.now();
  }

  /** Ends it, and whatever it keeps. */
  async revoke(signal: AbortSignal): Promise<void> {
    if (!this.#lease) return;
    await this.#store.revokeLease(this.#lease.leaseId, signal);
    this.#lease = undefined;
  }
}
