// Whatever order listings and events arrive in, a snapshot is the store at its own revision.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstSnapshot, foldEvents, foldListing } from '../../src/registry/snapshot.ts';
import type { Listing, StoredKey, StoreEvent } from '../../src/registry/store.ts';
import { storedKey } from '../support/builders.ts';

type Write = readonly [kind: StoreEvent['kind'], key: string];

/** A store's whole past: its keys at each revision from 1, and the event that led there. */
function historyOf(writes: readonly Write[]) {
  const states: ReadonlyMap<string, StoredKey>[] = [new Map()];
  const events: StoreEvent[] = [];
  for (const [kind, key] of writes) {
    const keys = new Map(states.at(-1));
    // The store begins at revision 1.
    const modRevision = states.length + 1;
    if (kind === 'put') {
      const stored = storedKey(key, `127.0.0.1:${modRevision}`, { modRevision });
      keys.set(key, stored);
      events.push({ kind, stored });
    } else {
      // etcd does not tell of the deletion of a key that is not there.
      if (!keys.delete(key)) continue;
      events.push({ kind, key, modRevision });
    }
    states.push(keys);
  }
  const keysAt = (revision: number) => states[revision - 1] ?? new Map<string, StoredKey>();
  const listingAt = (revision: number): Listing => ({
    ...{ clusterId: 'one', revision, keys: [...keysAt(revision).values()] },
  });
  return { events, lastRevision: states.length, keysAt, listingAt };
}

const anyWrites = fc.array(
  fc.tuple(fc.constantFrom<StoreEvent['kind']>('put', 'delete'), fc.constantFrom('a', 'b', 'c')),
  { minLength: 1, maxLength: 12 },
);

/** `share` in 0..1 chooses how far behind the store, or how far back in the past. */
const anySteps = fc.array(
  fc.record({
    kind: fc.constantFrom('event', 'event', 'event again', 'ask', 'answer'),
    share: fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
  }),
  { maxLength: 40 },
);

test('after each step the keys are those of the store at the revision that is known', () => {
  fc.assert(
    fc.property(anyWrites, anySteps, (writes, steps) => {
      const { events, lastRevision, keysAt, listingAt } = historyOf(writes);
      let known = firstSnapshot(listingAt(1));
      let told = 0;
      let asked: { readonly revisionWhenAsked: number; readonly listing: Listing } | undefined;
      for (const { kind, share } of steps) {
        if (kind === 'event') {
          known = foldEvents(known, events.slice(told, told + 1));
          told = Math.min(told + 1, events.length);
        } else if (kind === 'event again') {
          known = foldEvents(known, events.slice(Math.floor(share * told), told));
        } else if (kind === 'ask') {
          // Linearizable: not older than anything that is known when it is asked for.
          const ahead = Math.round(share * (lastRevision - known.revision));
          const listing = listingAt(known.revision + ahead);
          asked = { revisionWhenAsked: known.revision, listing };
        } else if (asked) {
          const { revisionWhenAsked, listing } = asked;
          known = foldListing(known, listing, { revisionWhenAsked, watched: true });
          asked = undefined;
        }
        expect(known.epoch).toBe(0);
        expect(Object.fromEntries(known.keys)).toEqual(Object.fromEntries(keysAt(known.revision)));
      }
    }),
    { numRuns: 1000 },
  );
});
