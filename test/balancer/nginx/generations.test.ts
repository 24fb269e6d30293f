import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  foldGenerations,
  type Generations,
  noGenerations,
} from '../../../src/balancer/nginx/generations.ts';
import type { Workers } from '../../../src/balancer/nginx/workers.ts';

type Look = readonly [atMs: number, serving: readonly number[], leaving?: readonly number[]];

const seen = ([, serving, leaving = []]: Look, master = 'one'): Workers => ({
  ...{ master, serving, leaving },
});

/** How many live after each look. */
function livingAt(...looks: readonly Look[]): readonly (number | undefined)[] {
  let generations = noGenerations;
  return looks.map((look) => {
    generations = foldGenerations(generations, seen(look), look[0]);
    return generations.living;
  });
}

test.each<[string, readonly Look[], readonly number[]]>([
  ['nobody', [[0, []]], [0]],
  ['one that serves', [[0, [1, 2]]], [1]],
  ['one that leaves, and none that serves', [[0, [], [1, 2]]], [1]],
  ['one that serves and one that was leaving before anybody looked', [[0, [3, 4], [1, 2]]], [2]],
  [
    'a reload that is over before the next look',
    [
      [0, [1, 2]],
      [500, [3, 4]],
    ],
    [1, 1],
  ],
  [
    'a reload step by step',
    [
      [0, [1, 2]],
      [200, [1, 2, 3]],
      [220, [1, 2, 3, 4]],
      [300, [2, 3, 4], [1]],
      [320, [3, 4], [1, 2]],
      [340, [3, 4], [2]],
      [360, [3, 4]],
    ],
    [1, 1, 1, 2, 2, 2, 1],
  ],
  [
    'three that are leaving, as long as each has a worker left',
    [
      [0, [1, 2]],
      [500, [3, 4], [1, 2]],
      [1000, [5, 6], [1, 2, 3]],
      [1500, [7, 8], [2, 3, 5, 6]],
      [2000, [7, 8], [6]],
      [2500, [7, 8]],
    ],
    [1, 2, 3, 4, 2, 1],
  ],
  [
    'a reload right after the first look',
    [
      [0, [1, 2]],
      [20, [1, 2, 3]],
      [40, [1, 2, 3, 4]],
      [140, [3, 4], [1]],
    ],
    [1, 1, 1, 2],
  ],
  [
    'one that came and left between two looks',
    [
      [0, [1, 2]],
      [500, [5, 6], [1, 2, 3, 4]],
    ],
    [1, 3],
  ],
  [
    'one that was seen to come, left and was replaced within a burst',
    [
      [0, [1, 2]],
      [500, [1, 2, 3]],
      [590, [5, 6], [1, 2, 3, 4]],
    ],
    [1, 1, 3],
  ],
  [
    'a worker that is told to leave by hand is of the generation that serves',
    [
      [0, [1, 2]],
      [500, [2], [1]],
      [1000, [2, 3], [1]],
    ],
    [1, 1, 2],
  ],
  [
    'a reload of which one worker is seen late is one still',
    [
      [0, [1, 2]],
      [500, [1, 2, 3]],
      [600, [3, 4], [1, 2]],
      [1000, [5, 6], [3, 4]],
    ],
    [1, 1, 2, 2],
  ],
])('%s', (_, looks, living) => {
  expect(livingAt(...looks)).toEqual(living);
});

test('what cannot be seen is not counted, and what was known before is not forgotten', () => {
  const one = foldGenerations(noGenerations, seen([0, [3], [1]]), 0);
  const none = foldGenerations(one, undefined, 500);
  expect(none.living).toBeUndefined();
  expect(foldGenerations(none, seen([1000, [3], [1]]), 1000).living).toBe(2);
  expect(foldGenerations(none, seen([1000, [4], [1, 3]]), 1000).living).toBe(3);
});

test('another master starts anew, whatever the numbers of its workers', () => {
  const one = foldGenerations(noGenerations, seen([0, [3], [1, 2]]), 0);
  const other = foldGenerations(one, seen([500, [1], [3]], 'other'), 500);
  expect(other.living).toBe(2);
});

/**
 * nginx by its own rules: a reload forks all workers at once, and the old ones are told to
 * leave 100 ms later; each of those ends in its own time.
 */
interface Course {
  readonly workers: number;
  readonly reloads: readonly { readonly afterMs: number; readonly linger: readonly number[] }[];
  readonly looks: readonly number[];
}

const overlapMs = 100;

function course(fastestReloadMs: number, slowestLookMs: number): fc.Arbitrary<Course> {
  return fc.record({
    workers: fc.integer({ min: 1, max: 4 }),
    reloads: fc.array(
      fc.record({
        afterMs: fc.integer({ min: fastestReloadMs, max: 3000 }),
        linger: fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 4, maxLength: 4 }),
      }),
      { maxLength: 6 },
    ),
    looks: fc.array(fc.integer({ min: 20, max: slowestLookMs }), { minLength: 20, maxLength: 200 }),
  });
}

/** At each look: what is counted, what is so, and how much is remembered. */
function* watched({ workers, reloads, looks }: Course) {
  const births = [0];
  for (const { afterMs } of reloads) births.push((births.at(-1) ?? 0) + afterMs);
  const isServing = (of: number, atMs: number) =>
    atMs >= (births[of] ?? 0) && atMs < (births[of + 1] ?? Infinity) + overlapMs;
  const endsAt = (of: number, one: number) =>
    (births[of + 1] ?? Infinity) + overlapMs + (reloads[of]?.linger[one] ?? 0);

  let generations: Generations = noGenerations;
  let nowMs = 0;
  for (const afterMs of [0, ...looks]) {
    nowMs += afterMs;
    const born = births.keys().filter((of) => nowMs >= (births[of] ?? 0));
    const alive = [...born].flatMap((of) =>
      Array.from({ length: workers }, (_, one) => ({ of, pid: of * 100 + one, one })).filter(
        ({ one }) => nowMs < endsAt(of, one),
      ),
    );
    const serving = alive.filter(({ of }) => isServing(of, nowMs));
    const leaving = alive.filter(({ of }) => !isServing(of, nowMs));
    const pids = (some: typeof alive) => some.map(({ pid }) => pid);
    generations = foldGenerations(
      generations,
      { master: 'one', serving: pids(serving), leaving: pids(leaving) },
      nowMs,
    );
    const truth = new Set(leaving.map(({ of }) => of)).size + 1;
    yield { counted: generations.living ?? 0, truth, kept: generations.cohorts.size, alive };
  }
}

test('where a look comes between any two reloads, the count is exact', () => {
  fc.assert(
    fc.property(course(300, 150), (one) => {
      for (const { counted, truth } of watched(one)) expect(counted).toBe(truth);
    }),
    { numRuns: 500 },
  );
});

test('however fast the reloads and slow the looks, it never counts too many, nor remembers the dead', () => {
  fc.assert(
    fc.property(course(0, 500), (one) => {
      for (const { counted, truth, kept, alive } of watched(one)) {
        expect(counted).toBeGreaterThanOrEqual(1);
        expect(counted).toBeLessThanOrEqual(truth);
        expect(kept).toBe(alive.length);
      }
    }),
    { numRuns: 500 },
  );
});
