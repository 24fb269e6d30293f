import { expect, test } from 'vitest';
import { foldRoster, mayBeOneOfMany, reflectedBy } from '../../../src/balancer/pool/absence.ts';
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
  expect(reflectedBy(rosterAfter([5, all], [10, [a, b]]))).toBe(10);
  expect(reflectedBy(rosterAfter([5, all], [10, []]))).toBe(5);
});

test('nothing of another store is reflected while what it lost is held', () => {
  expect(reflectedBy(rosterAfter([500, all], [510, [a, b], { epoch: 1, revision: 7 }]))).toBe(0);
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
