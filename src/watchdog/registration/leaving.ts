/**
 * Makes etcd not hold the key, and the record say why, for as long as it is asked to. The key and its
 * record change at one revision, at which the record moves to a lease of its own (presence.ts), and the
 * lease of the key is revoked: whatever is still on its way to etcd under that lease can no longer
 * bring the key back.
 */
import type { Clock } from '../../lib/clock.ts';
import type { LeaseStore } from '../../registry/store.ts';
import { isOurOwn } from './claim.ts';
import type { KeyLease } from './key-lease.ts';
import type { Outcome } from './outcome.ts';
import type { Presence } from './presence.ts';
import { removeAlone, removeAndTell, type Went } from './removal.ts';
import type { Sight, SightSettings } from './sight.ts';

export interface LeavingSettings extends SightSettings {
  /** A new one for each process. */
  readonly instance: string;
}

export class Leaving {
  readonly #settings: LeavingSettings;
  readonly #store: LeaseStore;
  readonly #clock: Clock;
  readonly #lease: KeyLease;
  readonly #presence: Presence;
  readonly #sight: Sight;

  constructor(
    settings: LeavingSettings,
    store: LeaseStore,
    clock: Clock,
    lease: KeyLease,
    presence: Presence,
    sight: Sight,
  ) {
    this.#settings = settings;
    this.#store = store;
    this.#clock = clock;
    this.#lease = lease;
    this.#presence = presence;
    this.#sight = sight;
  }

  /** Of the lease that is held: its key goes, in this store, and the lease with it. */
  async leave(leaseId: string, record: string, within: AbortSignal): Promise<Outcome> {
    try {
      return this.#gone(await this.#remove(leaseId, record, within));
    } catch (error) {
      this.#sight.standing = { kind: 'unknown' };
      throw error;
    }
  }

  async #remove(leaseId: string, record: string, within: AbortSignal): Promise<Went | undefined> {
    const guards = [{ key: this.#settings.key, leaseId }];
    const removal = { ...this.#settings, record, guards };
    let went: Went | undefined;
    try {
      went = await removeAndTell(removal, this.#store, this.#presence, this.#clock, within);
    } catch {
      within.throwIfAborted();
      // With the lease the key goes as well: of the two, one is enough.
      removeAlone(removal, this.#store, within).then(
        (alone) => (went = alone),
        () => {},
      );
    }
    await this.#lease.revoke(within);
    return went;
  }

  /** Nothing of ours is to be there, and the record is to say why. */
  async stayAway(record: string, signal: AbortSignal): Promise<Outcome> {
    const found = await this.#sight.read(signal);
    const { key, recordKey } = this.#settings;
    if (found.key && isOurOwn(found, this.#settings)) {
      // Brought back by a restored etcd, under a lease that nobody knows any more.
      const guards = [
        { key, modRevision: found.key.modRevision },
        { key: recordKey, modRevision: found.record?.modRevision ?? 0 },
      ];
      const removal = { ...this.#settings, record, guards };
      return this.#gone(
        await removeAndTell(removal, this.#store, this.#presence, this.#clock, signal),
      );
    }
    const isAbsent = found.key === undefined;
    const { standing } = this.#sight;
    const { kind, revision, intact } = await this.#presence.say(
      record,
      found.record,
      {
        proof: isAbsent ? [{ key, modRevision: 0 }] : [],
        // What the record said before the key was last there says nothing of when it went.
        anew: isAbsent && standing.kind !== 'gone',
      },
      signal,
    );
    // Whose record it is, is the one to drain it.
    if (!isAbsent || kind === 'not ours') this.#sight.standing = { kind: 'not ours' };
    else if (revision === undefined) this.#sight.standing = { kind: 'unknown' };
    // Told anew, in a store that has not forgotten what it was told before, it went no later.
    else if (standing.kind !== 'gone' || !intact) {
      this.#sight.standing = { kind: 'gone', revision };
    }
    return { kind: kind === 'repaired' ? 'record repaired' : 'absent' };
  }

  #gone(went: Went | undefined): Outcome {
    this.#sight.standing =
      typeof went === 'number' ? { kind: 'gone', revision: went } : { kind: 'unknown' };
    return { kind: went === 'not there' ? 'absent' : 'removed' };
  }
}
