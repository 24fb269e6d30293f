import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AbsenceRule,
  emptyRoster,
  foldRoster,
  heldOf,
  recordAnswer,
  type Roster,
  servedOf,
  unaskedOf,
} from '../../../src/balancer/pool/absence.ts';
import { backend } from '../../support/builders.ts';

const rule: AbsenceRule = { windowMs: 2000, holdMs: 10_000 };
const a = backend('a', 8001);
const b = backend('b', 8002);
const c = backend('c', 8003);
const all = [a, b, c];

/** Folds what is listed at each time, from an empty roster. */
const rosterAfter = (
  ...turns: readonly (readonly [nowMs: number, listed: typeof all, epoch?: number])[]
) =>
  turns.reduce(
    (roster, [nowMs, listed, epoch = 0]) => foldRoster(roster, listed, epoch, nowMs, rule),
    emptyRoster,
  );
const names = (roster: Roster) =>
  servedOf(roster)
    .map(({ name }) => name)
    .join('');

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
    all.map(() => '3 of 3 keys went within 2000 ms'),
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
  expect(names(foldRoster(dropped, [], 0, 20, rule))).toBe('bc');
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
  const roster = rosterAfter([0, all], [10, [a, b], 1]);
  expect(names(roster)).toBe('abc');
  expect(heldOf(roster)[0]?.heldBecause).toBe('etcd was wiped or restored');
});

test('a loss that follows the wipe is a loss like any other', () => {
  expect(names(rosterAfter([0, all], [10, all, 1], [20, [a, b], 1]))).toBe('ab');
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
        for (const { key } of roster.present.values()) lastListedMs.set(key, nowMs + pauseMs);
        nowMs += pauseMs;
        roster = foldRoster(roster, listed, 0, nowMs, rule);
        const served = servedOf(roster);
        expect(served).toEqual(expect.arrayContaining(listed));
        expect(new Set(served.map(({ address }) => address)).size).toBe(served.length);
        for (const { key } of served) {
          const lostAtMs = roster.present.has(key) ? nowMs : (lastListedMs.get(key) ?? 0);
          expect(nowMs - lostAtMs).toBeLessThan(rule.holdMs);
        }
      }
    }),
  );
});
