/**
 * Keeps the record of a watchdog that holds no key, on a lease that never keeps a key: so
 * that a reader can tell a backend that is proven down from one of which nothing is known.
 * This lease is renewed by each probe that has ended, whatever its result; the lease of
 * the key is another one, and knows nothing of this.
 */
import type { Clock } from '../../lib/clock.ts';
import { parseRecord } from '../../registry/record.ts';
import type { Guard, Lease, LeaseStore, StoredKey } from '../../registry/store.ts';
import { renewEveryMs } from '../timing.ts';

export interface PresenceSettings {
  readonly recordKey: string;
  readonly instance: string;
  readonly ttlMs: number;
}

/** `repaired`: nothing had changed, so somebody else touched the record. */
export interface Said {
  readonly kind: 'unchanged' | 'written' | 'repaired' | 'not ours';
  /** Of the record, where it says what it should; undefined where it does not. */
  readonly revision: number | undefined;
  /** It was found as we had left it: no store that was wiped or restored has it so. */
  readonly intact: boolean;
}

export class Presence {
  readonly #settings: PresenceSettings;
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  #lease: Lease | undefined;
  #renewedAtMs = 0;
  /** When it was last found gone in etcd; -Infinity: never. */
  lostAtMs = Number.NEGATIVE_INFINITY;
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
      this.lostAtMs = sentAtMs;
    }
    this.#lease = await this.#store.grantLease(this.#settings.ttlMs, signal);
    this.#renewedAtMs = sentAtMs;
    return this.#lease;
  }

  /**
   * Makes the record say `text`, unless it is another watchdog's.
   * @param found the record as it was just read.
   * @param proof what has to be so at the revision at which it is written.
   * @param anew it is written even where it says so already: for a revision of now.
   */
  async say(
    text: string,
    found: StoredKey | undefined,
    { proof, anew }: { readonly proof: readonly Guard[]; readonly anew: boolean },
    signal: AbortSignal,
  ): Promise<Said> {
    const { leaseId } = await this.lease(signal);
    const { recordKey, instance } = this.#settings;
    const said = this.#said;
    const intact =
      said !== undefined && found?.value === said.text && found.leaseId === said.leaseId;
    if (!anew && found?.value === text && found.leaseId === leaseId) {
      this.#said = { text, leaseId };
      return { kind: 'unchanged', revision: found.modRevision, intact };
    }
    if (found && isAnothers(found, leaseId, instance)) {
      return { kind: 'not ours', revision: undefined, intact };
    }
    const written = await this.#store.change(
      [...proof, { key: recordKey, modRevision: found?.modRevision ?? 0 }],
      [{ kind: 'put', key: recordKey, value: text, leaseId }],
      signal,
    );
    // Changed between the two calls: the next turn looks again.
    if (written === undefined) return { kind: 'unchanged', revision: undefined, intact };
    this.#said = { text, leaseId };
    const isAsSaid = !anew && said?.text === text && said.leaseId === leaseId;
    return { kind: isAsSaid ? 'repaired' : 'written', revision: written, intact };
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
