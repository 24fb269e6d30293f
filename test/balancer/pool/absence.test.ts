import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  emptyRoster,
  foldRoster,
  heldOf,
  recordAnswer,
  servedOf,
  unaskedOf,
} from '../../../src/balancer/pool/absence.ts';
import { backend } from '../../support/builders.ts';
import { a, all, b, c, names, rosterAfter, rule, sighting } from '../../support/rosters.ts';

test('what is listed is served', () => {
  expect(names(rosterAfter([0, all]))).toBe('abc');
});

test('the loss of one key is honoured at once, of the last one too', () => {
  expect(names(rosterAfter([0, all], [10, [a, b]]))).toBe('ab');
  expect(names(rosterAfter([0, [a]], [10, []]))).toBe('');
});

test('half of the pool at once is believed, more than half is held', () => {
  const d = backend('d', 8004);
  expect(names(rosterAfter([0, [...all, d]], [10, [a, b]]))).toBe('ab');
  expect(names(rosterAfter([0, [...all, d]], [10, [a]]))).toBe('abcd');
});

test('losses within the window are one event, even if the first was believed', () => {
  expect(names(rosterAfter([0, all], [10, [a, b]], [2009, [a]]))).toBe('abc');
});

test('losses further apart than the window are believed one by one', () => {
  expect(names(rosterAfter([0, all], [10, [a, b]], [2010, [a]], [4010, []]))).toBe('');
});

test('a held backend says why it is held', () => {
  const held = heldOf(rosterAfter([0, all], [10, []]));
  expect(held.map(({ heldBecause }) => heldBecause)).toEqual(
    all.map(() => '3 of 3 keys went within 2000 ms, unexplained'),
  );
});

test('the hold ends by itself when it has lasted its time', () => {
  expect(names(rosterAfter([0, all], [10, []], [10_009, []]))).toBe('abc');
  expect(names(rosterAfter([0, all], [10, []], [10_010, []]))).toBe('');
});

test('a held backend that does not answer is dropped, one that does stays', () => {
  const held = rosterAfter([0, all], [10, []]);
  expect(unaskedOf(held).map(({ backend: { name } }) => name)).toEqual(['a', 'b', 'c']);
  const answered = recordAnswer(recordAnswer(held, a.key, false), b.key, true);
  expect(names(answered)).toBe('bc');
  expect(unaskedOf(answered).map(({ backend: { name } }) => name)).toEqual(['c']);
});

test('what was dropped stays dropped in the turns that follow', () => {
  const dropped = recordAnswer(rosterAfter([0, all], [10, []]), a.key, false);
  expect(names(foldRoster(dropped, sighting(20, []), 20, rule))).toBe('bc');
});

test('an answer about somebody who is no longer absent changes nothing', () => {
  const roster = rosterAfter([0, all]);
  expect(recordAnswer(roster, a.key, false)).toBe(roster);
});

test('a backend that is registered anew is held no more, under its key or another', () => {
  const held = rosterAfter([0, all], [10, []], [20, [a]]);
  expect(heldOf(held).map(({ backend: { name } }) => name)).toEqual(['b', 'c']);
  const renamed = rosterAfter([0, all], [10, []], [20, [backend('z', 8001)]]);
  expect(names(renamed)).toBe('bcz');
});

test('a backend that moved to another address is served there only', () => {
  const moved = rosterAfter([0, all], [10, [backend('a', 9001), b, c]]);
  expect(servedOf(moved).map(({ port }) => port)).toEqual([9001, 8002, 8003]);
});

test('after etcd was wiped even a single lost key is held', () => {
  const roster = rosterAfter([0, all], [10, [a, b], { epoch: 1 }]);
  expect(names(roster)).toBe('abc');
  expect(heldOf(roster)[0]?.heldBecause).toBe('etcd was wiped or restored');
});

test('a loss that follows the wipe is a loss like any other', () => {
  expect(names(rosterAfter([0, all], [10, all, { epoch: 1 }], [20, [a, b], { epoch: 1 }]))).toBe(
    'ab',
  );
});

test('while etcd is away the hold goes on: it ends when a listing from after it agrees', () => {
  const away = { listedAtMs: 10 };
  const held = rosterAfter([0, all], [10, []], [60_000, [], away]);
  expect(names(held)).toBe('abc');
  expect(names(foldRoster(held, sighting(60_010, []), 60_010, rule))).toBe('');
});

const lose = (share: number, left: typeof all) => {
  const first = foldRoster(emptyRoster, sighting(0, all), 0, { ...rule, share });
  return names(foldRoster(first, sighting(10, left), 10, { ...rule, share }));
};

test('the share that is doubted is an option; with all of it nobody is held', () => {
  expect(lose(0.7, [a])).toBe('a');
  expect(lose(0.6, [a])).toBe('abc');
  expect(lose(0, [a, b])).toBe('ab');
  expect(lose(1, [])).toBe('');
});

test('while nothing changes the roster and what is served are the same objects', () => {
  const roster = rosterAfter([0, all]);
  const later = foldRoster(roster, sighting(0, roster.backends), 5000, rule);
  expect(later).toBe(roster);
  expect(servedOf(later)).toBe(roster.backends);
});

test('what is listed is always served, nobody twice, and nobody longer than the hold', () => {
  const anyListed = fc.subarray(all);
  const anyTurn = fc.tuple(fc.integer({ min: 1, max: 4000 }), anyListed);
  fc.assert(
    fc.property(fc.array(anyTurn, { maxLength: 20 }), (turns) => {
      let roster = emptyRoster;
      let nowMs = 0;
      const lastListedMs = new Map<string, number>();
      for (const [pauseMs, listed] of turns) {
        for (const { key } of roster.backends) lastListedMs.set(key, nowMs + pauseMs);
        nowMs += pauseMs;
        roster = foldRoster(roster, sighting(nowMs, listed), nowMs, rule);
        const served = servedOf(roster);
        expect(served).toEqual(expect.arrayContaining(listed));
        expect(new Set(served.map(({ address }) => address)).size).toBe(served.length);
        for (const { key } of served) {
          const isThere = roster.backends.some((one) => one.key === key);
          const lostAtMs = isThere ? nowMs : (lastListedMs.get(key) ?? 0);
          expect(nowMs - lostAtMs).toBeLessThan(rule.holdMs);
        }
      }
    }),
  );
});
