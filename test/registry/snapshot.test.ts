import { expect, test } from 'vitest';
import { firstSnapshot, foldEvents, foldListing } from '../../src/registry/snapshot.ts';
import type { Listing, StoredKey, StoreEvent } from '../../src/registry/store.ts';
import { storedKey } from '../support/builders.ts';

const at = (modRevision: number, key = '/test/a'): StoredKey =>
  storedKey(key, `127.0.0.1:${modRevision}`, { modRevision });
const put = (modRevision: number, key?: string): StoreEvent => ({
  kind: 'put',
  stored: at(modRevision, key),
});
const deletion = (modRevision: number, key = '/test/a'): StoreEvent => ({
  ...{ kind: 'delete', key, modRevision },
});
const listing = (revision: number, ...keys: readonly StoredKey[]): Listing => ({
  ...{ clusterId: 'one', revision, keys },
});
const watched = (revisionWhenAsked: number) => ({ revisionWhenAsked, watched: true });

test('the first listing is what is known', () => {
  const known = firstSnapshot(listing(7, at(5)));
  expect(known).toMatchObject({ revision: 7, epoch: 0, missed: 0 });
  expect([...known.keys.values()]).toEqual([at(5)]);
});

test('an event that changes nothing leaves the same keys, the very object', () => {
  const known = firstSnapshot(listing(5, at(5)));
  expect(foldEvents(known, [put(5)]).keys).toBe(known.keys);
  expect(foldEvents(known, [put(4)]).keys).toBe(known.keys);
  expect(foldEvents(known, [deletion(4)]).keys).toBe(known.keys);
  expect(foldListing(known, listing(9, at(5)), watched(5)).keys).toBe(known.keys);
});

test('an event older than a key’s deletion does not bring the key back', () => {
  const known = foldEvents(firstSnapshot(listing(5, at(5))), [deletion(7)]);
  expect(foldEvents(known, [put(6)]).keys.size).toBe(0);
});

test('an event older than a listing that knows the key gone does not bring it back', () => {
  const known = foldListing(firstSnapshot(listing(4)), listing(6), watched(4));
  expect(foldEvents(known, [put(5)]).keys.size).toBe(0);
  expect(foldEvents(known, [put(7)]).keys.size).toBe(1);
});

test('a listing older than an event does not undo the event', () => {
  const written = foldEvents(firstSnapshot(listing(5)), [put(7)]);
  expect(foldListing(written, listing(6), watched(5)).keys.size).toBe(1);
  const deleted = foldEvents(firstSnapshot(listing(5, at(5))), [deletion(7)]);
  expect(foldListing(deleted, listing(6, at(5)), watched(5)).keys.size).toBe(0);
});

test('the revision never goes back within one store', () => {
  const known = foldEvents(firstSnapshot(listing(5)), [put(9)]);
  expect(foldListing(known, listing(6), watched(5)).revision).toBe(9);
  expect(foldEvents(known, [put(6, '/test/b')]).revision).toBe(9);
});

test('a repair is counted as missed once no event has told of it for a whole period', () => {
  const before = firstSnapshot(listing(5, at(5)));
  const repaired = foldListing(before, listing(8, at(8), at(7, '/test/b')), watched(5));
  expect(repaired.keys.size).toBe(2);
  expect(repaired.missed).toBe(0);
  expect(foldListing(repaired, listing(8, ...repaired.keys.values()), watched(8)).missed).toBe(2);
});

test('a repaired deletion is counted too', () => {
  const repaired = foldListing(firstSnapshot(listing(5, at(5))), listing(8), watched(5));
  expect(repaired.keys.size).toBe(0);
  expect(foldListing(repaired, listing(8), watched(8)).missed).toBe(1);
});

test('an event that was merely late is not missed', () => {
  const repaired = foldListing(firstSnapshot(listing(5)), listing(8, at(8)), watched(5));
  const told = foldEvents(repaired, [put(8)]);
  expect(foldListing(told, listing(8, at(8)), watched(8)).missed).toBe(0);
});

test('what changed while no watch ran was not missed by one', () => {
  const context = { revisionWhenAsked: 5, watched: false };
  const known = foldListing(firstSnapshot(listing(5)), listing(8, at(8)), context);
  expect(foldListing(known, listing(8, at(8)), watched(8)).missed).toBe(0);
});

test.each([
  ['its revision went back', listing(4, at(3))],
  ['it is another cluster', { ...listing(9, at(5)), clusterId: 'two' }],
  ['a key is older than it was', listing(9, at(4))],
  ['a key is another at the same revision', listing(9, { ...at(5), value: '127.0.0.1:9' })],
  ['a key has another lease at the same revision', listing(9, { ...at(5), leaseId: '7' })],
  ['a key as old as the last listing was not in it', listing(9, at(5), at(4, '/test/c'))],
  ['a deleted key is back, as old as it was', listing(9, at(5), at(5, '/test/gone'))],
])('another store, since %s: its listing replaces everything', (_why, answer) => {
  const first = firstSnapshot(listing(5, at(5), at(5, '/test/gone')));
  const before = foldEvents(first, [put(6, '/test/b'), deletion(7, '/test/gone')]);
  const after = foldListing(before, answer, watched(7));
  expect(after.epoch).toBe(1);
  expect([...after.keys.values()]).toEqual(answer.keys);
  expect(after.revision).toBe(answer.revision);
});

test('a listing that could be of the same store is taken for one', () => {
  const first = firstSnapshot(listing(5, at(5), at(4, '/test/b'), at(3, '/test/c')));
  const known = foldEvents(first, [put(7), deletion(8, '/test/b')]);
  // Asked for before the events came, and just newer than the last listing.
  const listed = listing(6, at(5), at(4, '/test/b'), at(3, '/test/c'), at(6, '/test/d'));
  const after = foldListing(known, listed, watched(5));
  expect(after.epoch).toBe(0);
  expect([...after.keys.keys()]).toEqual(['/test/a', '/test/c', '/test/d']);
});

test('another store keeps the count of what was missed', () => {
  const repaired = foldListing(firstSnapshot(listing(5)), listing(8, at(8)), watched(5));
  const counted = foldListing(repaired, listing(8, at(8)), watched(8));
  expect(foldListing(counted, listing(2), watched(8))).toMatchObject({ epoch: 1, missed: 1 });
});
