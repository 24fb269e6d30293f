/**
 * What is known of a prefix, folded from listings and events. Pure. It stands
 * whatever order and repetition they arrive in:
 *
 *  - an event older than what is known of its key, or of the key's deletion, changes nothing;
 *  - a listing older than an event does not undo the event;
 *  - a listing that repairs something the watch should have told is counted, once it
 *    is sure that the event was not merely late;
 *  - a store whose revision went back, or that is another cluster, is another store:
 *    the listing replaces everything, and `epoch` says so.
 */
import type { Listing, StoredKey, StoreEvent } from './store.ts';

export interface Snapshot {
  readonly clusterId: string;
  /** The newest revision that this reflects. */
  readonly revision: number;
  /** The revision of the last listing, which has told everything up to there. */
  readonly listedRevision: number;
  /** How often the store turned out to be another one: wiped or restored. */
  readonly epoch: number;
  readonly keys: ReadonlyMap<string, StoredKey>;
  /** Deleted keys and the revision of their deletion, until a listing is newer. */
  readonly tombstones: ReadonlyMap<string, number>;
  /** What the last listing repaired and no event has told of yet: key to revision. */
  readonly unexplained: ReadonlyMap<string, number>;
  /** How many changes the watch never told. */
  readonly missed: number;
}

/** A snapshot from the first listing ever. */
export function firstSnapshot(listing: Listing): Snapshot {
  return {
    clusterId: listing.clusterId,
    revision: listing.revision,
    listedRevision: listing.revision,
    epoch: 0,
    keys: new Map(listing.keys.map((stored) => [stored.key, stored])),
    tombstones: new Map(),
    unexplained: new Map(),
    missed: 0,
  };
}

/** Is the store that answered with `listing` another one than the store of `known`? */
function isAnotherStore(known: Snapshot, revisionWhenAsked: number, listing: Listing): boolean {
  return (
    listing.clusterId !== known.clusterId ||
    listing.revision < revisionWhenAsked ||
    listing.keys.some(({ key, modRevision }) => {
      const knownRevision = known.keys.get(key)?.modRevision ?? 0;
      // What is newer than the listing itself came from the watch, after it.
      return knownRevision > modRevision && knownRevision <= listing.revision;
    })
  );
}

export interface ListingContext {
  /** `revision` of the snapshot at the time when the listing was asked for. */
  readonly revisionWhenAsked: number;
  /** A confirmed watch ran all the time since the last listing: a difference is then a repair. */
  readonly watched: boolean;
}

export function foldListing(known: Snapshot, listing: Listing, context: ListingContext): Snapshot {
  if (isAnotherStore(known, context.revisionWhenAsked, listing)) {
    return { ...firstSnapshot(listing), epoch: known.epoch + 1, missed: known.missed };
  }
  const keys = new Map<string, StoredKey>();
  const repaired = new Map<string, number>();
  for (const stored of listing.keys) {
    const current = known.keys.get(stored.key);
    const deletedAt = known.tombstones.get(stored.key) ?? 0;
    if (deletedAt > stored.modRevision) continue;
    if (current && current.modRevision >= stored.modRevision) {
      keys.set(stored.key, current);
    } else {
      keys.set(stored.key, stored);
      repaired.set(stored.key, stored.modRevision);
    }
  }
  const listed = new Set(listing.keys.map(({ key }) => key));
  for (const current of known.keys.values()) {
    if (listed.has(current.key)) continue;
    if (current.modRevision > listing.revision) keys.set(current.key, current);
    else repaired.set(current.key, listing.revision);
  }
  // Same content keeps the same object, so that whoever holds it sees that nothing changed.
  return {
    ...known,
    keys: repaired.size > 0 ? keys : known.keys,
    revision: Math.max(known.revision, listing.revision),
    listedRevision: listing.revision,
    tombstones: new Map(
      [...known.tombstones].filter(([, revision]) => revision > listing.revision),
    ),
    // What the listing before this one repaired has had a whole period to be told.
    unexplained: context.watched ? repaired : new Map(),
    missed: known.missed + known.unexplained.size,
  };
}

export function foldEvents(known: Snapshot, events: readonly StoreEvent[]): Snapshot {
  const keys = new Map(known.keys);
  const tombstones = new Map(known.tombstones);
  const unexplained = new Map(known.unexplained);
  let revision = known.revision;
  let changed = false;
  for (const event of events) {
    const key = event.kind === 'put' ? event.stored.key : event.key;
    const at = event.kind === 'put' ? event.stored.modRevision : event.modRevision;
    revision = Math.max(revision, at);
    if (at <= (unexplained.get(key) ?? 0)) unexplained.delete(key);
    const knownAt = Math.max(keys.get(key)?.modRevision ?? 0, tombstones.get(key) ?? 0);
    if (at <= Math.max(knownAt, known.listedRevision)) continue;
    if (event.kind === 'put') {
      keys.set(key, event.stored);
      tombstones.delete(key);
      changed = true;
    } else {
      changed = keys.delete(key) || changed;
      tombstones.set(key, at);
    }
  }
  return { ...known, revision, keys: changed ? keys : known.keys, tombstones, unexplained };
}
