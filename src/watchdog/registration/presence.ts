/**
 * Keeps the record of a watchdog that holds no key, on a lease that never keeps a key: so
 * that a reader can tell a backend that is proven down from one of which nothing is known.
 * This lease is renewed by each probe that has ended, whatever its result; the lease of
 * the key is another one, and knows nothing of this.
 */
import type { Clock } from '../../lib/clock.ts';
import { parseRecord } from '../../registry/record.ts';
import type { Lease, LeaseStore, StoredKey } from '../../registry/store.ts';
import { renewEveryMs } from '../timing.ts';

export interface PresenceSettings {
  readonly recordKey: string;
  readonly instance: string;
  readonly ttlMs: number;
}

/** `repaired`: nothing had changed, so somebody else touched the record. */
export type Said = 'unchanged' | 'written' | 'repaired' | 'not ours';

export class Presence {
  readonly #settings: PresenceSettings;
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  #lease: Lease | undefined;
  #renewedAtMs = 0;
  #said: { readonly text: string; readonly leaseId: string } | undefined;

  constructor(settings: PresenceSettings, store: LeaseStore, clock: Clock) {
    this.#settings = settings;
    this.#store = store;
    this.#clock = clock;
  }

  /** A lease for the record, alive a moment ago. The caller has a probe that has just ended. */
  async lease(signal: AbortSignal): Promise<Lease> {
    const sentAtMs = this.#clock.now();
    if (this.#lease) {
      if (sentAtMs - this.#renewedAtMs < renewEveryMs(this.#settings.ttlMs)) return this.#lease;
      const ttlMs = await this.#store.renewLease(this.#lease.leaseId, signal);
      this.#renewedAtMs = sentAtMs;
      if (ttlMs > 0) return this.#lease;
      this.#lease = undefined;
    }
    this.#lease = await this.#store.grantLease(this.#settings.ttlMs, signal);
    this.#renewedAtMs = sentAtMs;
    return this.#lease;
  }

  /** Makes the record say `text`, unless it is another watchdog's. */
  async say(text: string, signal: AbortSignal): Promise<Said> {
    const { leaseId } = await this.lease(signal);
    const { recordKey, instance } = this.#settings;
    const [found] = await this.#store.readKeys([recordKey], signal);
    const isAsSaid = this.#said?.text === text && this.#said.leaseId === leaseId;
    if (found?.value === text && found.leaseId === leaseId) {
      this.#said = { text, leaseId };
      return 'unchanged';
    }
    if (found && isAnothers(found, leaseId, instance)) return 'not ours';
    const written = await this.#store.change(
      [{ key: recordKey, modRevision: found?.modRevision ?? 0 }],
      [{ kind: 'put', key: recordKey, value: text, leaseId }],
      signal,
    );
    // Changed between the two calls: the next turn looks again.
    if (!written) return 'unchanged';
    this.#said = { text, leaseId };
    return isAsSaid ? 'repaired' : 'written';
  }

  /** Ends the lease, and with it the record if it lies there. */
  async end(signal: AbortSignal): Promise<void> {
    if (!this.#lease) return;
    await this.#store.revokeLease(this.#lease.leaseId, signal);
    this.#lease = undefined;
  }
}

/** Under another's lease, and not by ourselves before: a restored etcd brings old leases back. */
function isAnothers(found: StoredKey, leaseId: string, instance: string): boolean {
  if (found.leaseId === '0' || found.leaseId === leaseId) return false;
  const parsed = parseRecord(found.value);
  return !(parsed.ok && parsed.value.instance === instance);
}
