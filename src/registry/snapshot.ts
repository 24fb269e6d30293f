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
  /** What `keys` was made of; undefined: of a listing alone. */
  readonly madeOf: Step | undefined;
  /** Deleted keys and the revision of their deletion, until a listing is newer. */
  readonly tombstones: ReadonlyMap<string, number>;
  /** What the last listing repaired and no event has told of yet: key to revision. */
  readonly unexplained: ReadonlyMap<string, number>;
  /** How many changes the watch never told. */
  readonly missed: number;
}

/** For whoever holds what was made of the keys before: what is to be made anew. */
export interface Step {
  readonly before: ReadonlyMap<string, StoredKey>;
  /** Keys that came, went or changed; no others. */
  readonly changed: readonly string[];
}

/** A snapshot from the first listing ever. */
export function firstSnapshot(listing: Listing): Snapshot {
  return {
    clusterId: listing.clusterId,
    revision: listing.revision,
    listedRevision: listing.revision,
    epoch: 0,
    keys: new Map(listing.keys.map((stored) => [stored.key, stored])),
    madeOf: undefined,
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
    listing.keys.some((stored) => !isOneStore(known, listing.revision, stored))
  );
}

/** Can the store of `known` be the one that has `stored` at `revision`? */
function isOneStore(known: Snapshot, revision: number, stored: StoredKey): boolean {
  const { key, modRevision } = stored;
  const current = known.keys.get(key);
  const knownRevision = current?.modRevision ?? known.tombstones.get(key) ?? 0;
  // What is newer than the listing itself came from the watch, after it.
  if (knownRevision > modRevision) return knownRevision > revision;
  if (current && knownRevision === modRevision) return isSame(current, stored);
  // Of what was written by then the last listing told all: a store that was wiped and has
  // grown past the old revision gives itself away here, by every key that it has had so long.
  return modRevision > known.listedRevision;
}

const isSame = (one: StoredKey, other: StoredKey) =>
  one.value === other.value && one.valueBytes === other.valueBytes && one.leaseId === other.leaseId;

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
  const found = differences(known, listing);
  const keys = new Map(found.size > 0 ? known.keys : []);
  const repaired = new Map<string, number>();
  for (const [key, stored] of found) {
    repaired.set(key, stored?.modRevision ?? listing.revision);
    if (stored) keys.set(key, stored);
    else keys.delete(key);
  }
  return {
    ...known,
    // Same content keeps the same object, so that whoever holds it sees that nothing changed.
    ...(found.size > 0 && { keys, madeOf: { before: known.keys, changed: [...found.keys()] } }),
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

/** What `listing` knows better: key to what it has, undefined where the key is gone. */
function differences(
  known: Snapshot,
  listing: Listing,
): ReadonlyMap<string, StoredKey | undefined> {
  const found = new Map<string, StoredKey | undefined>();
  let knownToo = 0;
  for (const stored of listing.keys) {
    const current = known.keys.get(stored.key);
    if (current) knownToo += 1;
    const knownRevision = current?.modRevision ?? known.tombstones.get(stored.key) ?? 0;
    if (knownRevision < stored.modRevision) found.set(stored.key, stored);
  }
  // Most listings are of what is known: no need then to look from the other side.
  if (knownToo === known.keys.size) return found;
  const listed = new Set(listing.keys.map(({ key }) => key));
  for (const { key, modRevision } of known.keys.values()) {
    if (!listed.has(key) && modRevision <= listing.revision) found.set(key, undefined);
  }
  return found;
}

export function foldEvents(known: Snapshot, events: readonly StoreEvent[]): Snapshot {
  const keys = new Map(known.keys);
  const tombstones = new Map(known.tombstones);
  const unexplained = new Map(known.unexplained);
  let revision = known.revision;
  const changed = new Set<string>();
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
      changed.add(key);
    } else {
      if (keys.delete(key)) changed.add(key);
      tombstones.set(key, at);
    }
  }
  return {
    ...{ ...known, revision, tombstones, unexplained },
    ...(changed.size > 0 && { keys, madeOf: { before: known.keys, changed: [...changed] } }),
  };
}
