import { expect, test } from 'vitest';
import {
  foldRoster,
  mayBeOneOfMany,
  recordAnswer,
  reflectedBy,
} from '../../../src/balancer/pool/absence.ts';
import { recordOf, storedKey } from '../../support/builders.ts';
import { a, all, b, names, recordAt, rosterAfter, rule, sighting } from '../../support/rosters.ts';

test('what is proven down is never held, all of the pool at once neither', () => {
  expect(names(rosterAfter([5, all], [10, [], recordAt(8, 'down')]))).toBe('');
  expect(names(rosterAfter([5, all], [10, [], recordAt(8, 'up')]))).toBe('abc');
});

test('what is proven down is no part of a mass expiry', () => {
  const roster = rosterAfter([5, all], [10, [], recordAt(8, 'down', [a, b])]);
  expect(names(roster)).toBe('');
});

test('a proof that comes late ends the hold, and stays when its watchdog goes', () => {
  const held = rosterAfter([5, all], [10, []]);
  const proven = foldRoster(held, sighting(12, [], recordAt(8, 'rising')), 12, rule);
  expect(names(proven)).toBe('');
  expect(names(foldRoster(proven, sighting(20, []), 20, rule))).toBe('');
});

test('a record from before the key was last seen proves nothing', () => {
  expect(names(rosterAfter([5, all], [10, [], recordAt(5, 'down')]))).toBe('abc');
});

test('a held deletion is not reflected', () => {
  expect(reflectedBy(rosterAfter([5, all], [10, []]), rule)).toBe(5);
  expect(reflectedBy(rosterAfter([5, all], [10, []], [10_010, []]), rule)).toBe(10_010);
});

test('nothing of another store is reflected while what it lost is held', () => {
  const restored = { epoch: 1, revision: 7 };
  expect(reflectedBy(rosterAfter([500, all], [510, [a, b], restored]), rule)).toBe(0);
  // Nor while what was held before is held on.
  const heldBefore = rosterAfter([500, all], [510, []], [520, [], restored]);
  expect([names(heldBefore), reflectedBy(heldBefore, rule)]).toEqual(['abc', 0]);
});

test('of another store, only a record that is newer than the look at it proves anything', () => {
  const restored = { epoch: 1, revision: 7 };
  const [old, fresh] = [recordAt(7, 'down'), recordAt(8, 'down')];
  expect(names(rosterAfter([500, all], [510, [], { ...restored, ...old }]))).toBe('abc');
  expect(names(rosterAfter([500, all], [510, [], { ...restored, ...fresh }]))).toBe('');
});

test('a fresh loss that nobody explains may be one of many', () => {
  const lost = rosterAfter([0, all], [10, [a, b]]);
  expect(mayBeOneOfMany(lost, 59, 50)).toBe(true);
  expect(mayBeOneOfMany(lost, 60, 50)).toBe(false);
  const proven = rosterAfter([5, all], [10, [a, b], recordAt(8, 'down')]);
  expect(mayBeOneOfMany(proven, 20, 50)).toBe(false);
});

const drained = { by: 'operator', since: '2026-01-01T00:00:00.000Z' };
const drainedAt = (revision: number) => {
  const value = JSON.stringify(recordOf({ drain: drained }));
  const record = storedKey('record', value, { modRevision: revision, leaseId: '7' });
  return { recordOf: () => record };
};

test('what is drained is never held, all of the pool at once neither', () => {
  expect(names(rosterAfter([5, all], [10, [], drainedAt(8)]))).toBe('');
  expect(names(rosterAfter([5, all], [10, [], drainedAt(5)]))).toBe('abc');
});

test('what an order tells to drain is never held, and however old the order is', () => {
  const ordered = { isOrderedOut: (key: string) => key === a.key };
  expect(names(rosterAfter([5, all], [10, [], ordered]))).toBe('bc');
  const held = rosterAfter([5, all], [10, []]);
  const taken = foldRoster(held, sighting(12, [], ordered), 12, rule);
  expect(names(taken)).toBe('bc');
  // And when the order is taken back before anybody is there again.
  expect(names(foldRoster(taken, sighting(14, []), 14, rule))).toBe('bc');
});

test('a loss that may yet be held is not reflected, until it is explained or its window is over', () => {
  const lost = rosterAfter([5, all], [10, [a, b]]);
  expect([names(lost), reflectedBy(lost, rule)]).toEqual(['ab', 5]);
  const later = (nowMs: number, more = {}) =>
    reflectedBy(foldRoster(lost, sighting(nowMs, [a, b], more), nowMs, rule), rule);
  expect(later(2009)).toBe(5);
  expect(later(2010)).toBe(2010);
  expect(later(12, drainedAt(8))).toBe(12);
  expect(later(12, recordAt(8, 'down'))).toBe(12);
  expect(later(12, { isOrderedOut: () => true })).toBe(12);
});

test('where nobody is ever held, a loss is reflected at once', () => {
  expect(reflectedBy(rosterAfter([5, all], [10, [a, b]]), { share: 1 })).toBe(10);
});

test('one that is held and does not answer is out for good: its loss is reflected', () => {
  const held = rosterAfter([5, all], [10, []]);
  const silent = all.reduce((roster, { key }) => recordAnswer(roster, key, false), held);
  expect([names(silent), reflectedBy(silent, rule)]).toEqual(['', 10]);
});
