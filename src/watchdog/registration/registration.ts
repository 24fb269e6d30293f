/**
 * Makes etcd agree with the judgement: one key, and a record of what is known beside it.
 *
 * Every call ends within the call budget. What did not succeed is tried again by the next
 * turn, since each call starts from what etcd holds and not from what was done.
 *
 * The key and its record change together, at one revision. When the key goes on a verdict,
 * the record that says so moves to a lease of its own (presence.ts) in the same step, and
 * the lease of the key is revoked: whatever is still on its way to etcd under that lease
 * can no longer bring the key back.
 */
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { CodedError } from '../../lib/errors.ts';
import type { LeaseStore, StoredKey, Write } from '../../registry/store.ts';
import { abandonedMs, type Because, type ByHandPolicy, claim } from './claim.ts';
import { refuseStale } from './evidence.ts';
import { KeyLease, type KeyLeaseObserver, type KeyLeaseSettings } from './key-lease.ts';
import type { Outcome } from './outcome.ts';
import { Presence } from './presence.ts';
import { removeAlone, removeAndTell } from './removal.ts';
import type { PassedProbe, ProbeResult } from '../probe/result.ts';
import { etcdCallBudgetMs } from '../timing.ts';

export interface RegistrationSettings extends KeyLeaseSettings {
  readonly key: string;
  readonly recordKey: string;
  readonly value: string;
  /** A new one for each process. */
  readonly instance: string;
  readonly byHand: ByHandPolicy;
}

interface Found {
  readonly key: StoredKey | undefined;
  readonly record: StoredKey | undefined;
}

export class Registration {
  readonly #settings: RegistrationSettings;
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  readonly #lease: KeyLease;
  readonly #presence: Presence;
  /** The lease under which the key was last seen as ours, and what the record then said. */
  #seen: { readonly leaseId: string; readonly record: string } | undefined;
  #respected: Because | undefined;

  constructor(
    settings: RegistrationSettings,
    store: LeaseStore,
    clock: Clock,
    observer: KeyLeaseObserver,
  ) {
    this.#settings = settings;
    this.#store = store;
    this.#clock = clock;
    this.#lease = new KeyLease(settings, store, clock, observer);
    this.#presence = new Presence(settings, store, clock);
  }

  /** How long the lease of the key still holds; 0 without one. */
  get remainingMs(): number {
    return this.#lease.remainingMs;
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
    return await this.#inTime('holding the key', signal, async (within) => {
      if (this.#respected) return await this.#standAside(this.#respected, record, within);
      if (evidence) await this.#lease.renew(evidence, within);
      const found = await this.#read(within);
      if (await this.#hasLostLease(found, within)) this.#lease.forget();
      const leaseId = this.#lease.id;
      const hasHeld = leaseId !== undefined && this.#seen?.leaseId === leaseId;
      const claimed = claim(found.key, found.record, { ...this.#settings, leaseId, hasHeld });
      switch (claimed.kind) {
        case 'held':
          return await this.#keepRecord(found, record, within);
        case 'write':
          return await this.#write(found, claimed.because, evidence, record, within);
        case 'respected':
          this.#respected = claimed.because;
          return await this.#standAside(claimed.because, record, within);
        case 'taken': {
          const { by, sameValue } = claimed;
          const remainingMs = await this.#store.leaseRemainingMs(by.leaseId, within);
          if (sameValue && remainingMs <= abandonedMs) {
            return await this.#write(found, 'left behind', evidence, record, within);
          }
          this.#seen = undefined;
          await this.#lease.revoke(within);
          return { kind: 'taken', by, sameValue, remainingMs };
        }
        default:
          return claimed satisfies never;
      }
    });
  }

  /**
   * Makes etcd not hold the key, and the record say why, for as long as this is called.
   * @param evidence a probe that has just ended: without one nobody vouches for the record.
   * @throws as `hold`.
   */
  async drop(evidence: ProbeResult, record: string, signal: AbortSignal): Promise<Outcome> {
    return await this.#inTime('removing the key', signal, async (within) => {
      const keyLeaseId = this.#lease.id;
      if (keyLeaseId === undefined) {
        refuseStale(evidence, this.#clock.now(), this.#settings.evidenceMs);
        const said = await this.#presence.say(record, within);
        return { kind: said === 'repaired' ? 'record repaired' : 'absent' };
      }
      // What we delete ourselves nobody has deleted by hand, whatever becomes of the rest.
      this.#seen = undefined;
      const removal = { ...this.#settings, keyLeaseId, record };
      const told = await removeAndTell(removal, this.#store, this.#presence, this.#clock, within);
      // With the lease the key goes as well: of the two, one is enough.
      if (told === undefined) removeAlone(removal, this.#store, within).catch(() => {});
      await this.#lease.revoke(within);
      return { kind: told === 'not there' ? 'absent' : 'removed' };
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

  /** A key that is not ours any more tells of somebody's hand only while its lease is alive. */
  async #hasLostLease({ key }: Found, signal: AbortSignal): Promise<boolean> {
    const leaseId = this.#lease.id;
    if (leaseId === undefined || key?.leaseId === leaseId) return false;
    return (await this.#store.leaseRemainingMs(leaseId, signal)) === 0;
  }

  async #read(signal: AbortSignal): Promise<Found> {
    const { key, recordKey } = this.#settings;
    const [foundKey, foundRecord] = await this.#store.readKeys([key, recordKey], signal);
    return { key: foundKey, record: foundRecord };
  }

  /** The key is as it should be; the record beside it may not be. */
  async #keepRecord(found: Found, record: string, signal: AbortSignal): Promise<Outcome> {
    const leaseId = this.#lease.id ?? '';
    if (found.record?.value === record && found.record.leaseId === leaseId) {
      this.#seen = { leaseId, record };
      await this.#presence.end(signal);
      return { kind: 'held' };
    }
    const wasThere = this.#seen?.leaseId === leaseId && this.#seen.record === record;
    await this.#put(found, leaseId, record, [], signal);
    return { kind: wasThere ? 'record repaired' : 'held' };
  }

  async #write(
    found: Found,
    because: Because,
    evidence: PassedProbe | undefined,
    record: string,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const leaseId = evidence ? await this.#lease.grant(evidence, signal) : this.#lease.id;
    // Nothing is there to be mended, and nothing justifies a lease: the next pass will.
    if (leaseId === undefined) return { kind: 'absent' };
    const { key, value } = this.#settings;
    await this.#put(found, leaseId, record, [{ kind: 'put', key, value, leaseId }], signal);
    return { kind: 'written', because };
  }

  async #put(
    found: Found,
    leaseId: string,
    record: string,
    besides: readonly Write[],
    signal: AbortSignal,
  ): Promise<void> {
    const { key, recordKey } = this.#settings;
    const written = await this.#store.change(
      [
        { key, modRevision: found.key?.modRevision ?? 0 },
        { key: recordKey, modRevision: found.record?.modRevision ?? 0 },
      ],
      [...besides, { kind: 'put', key: recordKey, value: record, leaseId }],
      signal,
    );
    if (!written) {
      throw new CodedError('LOST_RACE', 'the key changed while it was being written: trying again');
    }
    this.#seen = { leaseId, record };
    await this.#presence.end(signal);
  }

  /** Somebody changed the key by hand, and is to have it so: only the record stays. */
  async #standAside(because: Because, record: string, signal: AbortSignal): Promise<Outcome> {
    await this.#lease.revoke(signal);
    await this.#presence.say(record, signal);
    return { kind: 'respected', because };
  }
}
