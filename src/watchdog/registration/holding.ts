/**
 * Makes etcd hold the key, with the record beside it under the same lease; claims it where nobody
 * keeps it, and stands by where somebody does. While an operator's order to drain stands nothing is
 * written: the transaction itself asks that there is none.
 */
import { CodedError } from '../../lib/errors.ts';
import type { LeaseStore, Write } from '../../registry/store.ts';
import type { PassedProbe } from '../probe/result.ts';
import { abandonedMs, type Because, type ByHandPolicy, claim } from './claim.ts';
import type { KeyLease } from './key-lease.ts';
import type { Outcome } from './outcome.ts';
import type { Presence } from './presence.ts';
import type { Found, Sight, SightSettings } from './sight.ts';

export interface HoldingSettings extends SightSettings {
  readonly value: string;
  /** A new one for each process. */
  readonly instance: string;
  readonly byHand: ByHandPolicy;
}

export class Holding {
  readonly #settings: HoldingSettings;
  readonly #store: LeaseStore;
  readonly #lease: KeyLease;
  readonly #presence: Presence;
  readonly #sight: Sight;
  /** The lease under which the key was last seen as ours, and what the record then said. */
  #seen: { readonly leaseId: string; readonly record: string } | undefined;
  #respected: Because | undefined;

  constructor(
    settings: HoldingSettings,
    store: LeaseStore,
    lease: KeyLease,
    presence: Presence,
    sight: Sight,
  ) {
    this.#settings = settings;
    this.#store = store;
    this.#lease = lease;
    this.#presence = presence;
    this.#sight = sight;
  }

  /** What we delete ourselves nobody has deleted by hand. */
  forget(): void {
    this.#seen = undefined;
  }

  /** @param evidence undefined: nothing is granted or renewed, and what is there is only mended. */
  async hold(
    evidence: PassedProbe | undefined,
    record: string,
    within: AbortSignal,
  ): Promise<Outcome> {
    if (this.#respected) {
      const there = await this.#sight.read(within);
      return await this.#standAside(this.#respected, there, record, within);
    }
    if (evidence) await this.#lease.renew(evidence, within);
    const found = await this.#sight.read(within);
    if (await this.#hasLostLease(found, within)) this.#lease.forget();
    if (found.order) return { kind: 'ordered out' };
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
        return await this.#standAside(claimed.because, found, record, within);
      case 'taken': {
        const { by, sameValue } = claimed;
        const remainingMs = await this.#store.leaseRemainingMs(by.leaseId, within);
        if (sameValue && remainingMs <= abandonedMs) {
          return await this.#write(found, 'left behind', evidence, record, within);
        }
        this.#seen = undefined;
        this.#sight.standing = { kind: 'not ours' };
        await this.#lease.revoke(within);
        return { kind: 'taken', by, sameValue, remainingMs };
      }
      default:
        return claimed satisfies never;
    }
  }

  /** A key that is not ours any more tells of somebody's hand only while its lease is alive. */
  async #hasLostLease({ key }: Found, signal: AbortSignal): Promise<boolean> {
    const leaseId = this.#lease.id;
    if (leaseId === undefined || key?.leaseId === leaseId) return false;
    return (await this.#store.leaseRemainingMs(leaseId, signal)) === 0;
  }

  /** The key is as it should be; the record beside it may not be. */
  async #keepRecord(found: Found, record: string, signal: AbortSignal): Promise<Outcome> {
    const leaseId = this.#lease.id ?? '';
    this.#sight.standing = { kind: 'held', revision: found.key?.modRevision ?? 0 };
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
    const written: Write = { kind: 'put', key, value, leaseId };
    const revision = await this.#put(found, leaseId, record, [written], signal);
    this.#sight.standing = { kind: 'held', revision };
    return { kind: 'written', because };
  }

  async #put(
    found: Found,
    leaseId: string,
    record: string,
    besides: readonly Write[],
    signal: AbortSignal,
  ): Promise<number> {
    const { key, recordKey, orderKey } = this.#settings;
    const written = await this.#store.change(
      [
        { key, modRevision: found.key?.modRevision ?? 0 },
        { key: recordKey, modRevision: found.record?.modRevision ?? 0 },
        { key: orderKey, modRevision: 0 },
      ],
      [...besides, { kind: 'put', key: recordKey, value: record, leaseId }],
      signal,
    );
    if (written === undefined) {
      throw new CodedError('LOST_RACE', 'the key changed while it was being written: trying again');
    }
    this.#seen = { leaseId, record };
    await this.#presence.end(signal);
    return written;
  }

  /** Somebody changed the key by hand, and is to have it so: only the record stays. */
  async #standAside(
    because: Because,
    found: Found,
    record: string,
    signal: AbortSignal,
  ): Promise<Outcome> {
    this.#sight.standing = { kind: 'not ours' };
    await this.#lease.revoke(signal);
    await this.#presence.say(record, found.record, { proof: [], anew: false }, signal);
    return { kind: 'respected', because };
  }
}
