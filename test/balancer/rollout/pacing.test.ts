import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Difference } from '../../../src/balancer/rollout/difference.ts';
import {
  foldPacing,
  freshPacing,
  type Pacing,
  paceOf,
  pacingTimes,
  taken,
} from '../../../src/balancer/rollout/pacing.ts';

const rule = { settleMs: 100, settleMaxMs: 1000, maxGenerations: 8 };
const { tokens: fullBucket, tokenEveryMs, keptForRemovals, removalMs } = pacingTimes;

interface Moment {
  readonly difference: Difference | 'first';
  readonly changed?: boolean;
  readonly doubtful?: boolean;
  readonly livingGenerations?: number;
}

/** One look at the time `nowMs`; what is due is taken. */
function at(before: Pacing, nowMs: number, moment: Moment) {
  const { difference, changed = false, doubtful = false, livingGenerations = 1 } = moment;
  const wish = { difference, changed, arrivedAtMs: nowMs };
  const folded = foldPacing(before, wish, nowMs);
  const pace = paceOf(folded, wish, { doubtful, livingGenerations, tickMs: 500 }, rule, nowMs);
  return { pace, pacing: pace.due ? taken(folded) : folded };
}

const gained = { difference: 'gained', changed: true } as const;
const lost = { difference: 'lost', changed: true } as const;

test('the first file never waits, whatever else would hold it back', () => {
  const empty = { ...freshPacing, tokens: 0 };
  const held = { difference: 'first', livingGenerations: 99, doubtful: true } as const;
  expect(at(empty, 10, held).pace).toEqual({ due: true });
});

test('where nothing differs there is nothing to do', () => {
  expect(at(freshPacing, 10, { difference: 'none' }).pace).toMatchObject({ due: false });
});

test('an addition waits for a quiet moment', () => {
  const first = at(freshPacing, 1000, gained);
  expect(first.pace).toEqual({ due: false, because: 'settling', forMs: 100 });
  const second = at(first.pacing, 1060, gained);
  expect(second.pace).toMatchObject({ forMs: 100 });
  expect(at(second.pacing, 1159, { difference: 'gained' }).pace).toMatchObject({ due: false });
  expect(at(second.pacing, 1160, { difference: 'gained' }).pace).toEqual({ due: true });
});

test('and no longer than its maximum, however many follow', () => {
  let pacing = freshPacing;
  let due = 0;
  for (let nowMs = 5000; due === 0; nowMs += 50) {
    const look = at(pacing, nowMs, gained);
    ({ pacing } = look);
    if (look.pace.due) due = nowMs;
  }
  expect(due).toBe(5000 + rule.settleMaxMs);
});

test('a removal goes at once, one that may be one of many after 50 ms at the most', () => {
  expect(at(freshPacing, 1000, lost).pace).toEqual({ due: true });
  const doubted = at(freshPacing, 1000, { ...lost, doubtful: true });
  expect(doubted.pace).toEqual({ due: false, because: 'settling', forMs: removalMs });
  // Others go meanwhile: the doubt goes on, the wait does not.
  const more = at(doubted.pacing, 1030, { ...lost, doubtful: true });
  expect(more.pace).toMatchObject({ due: false, forMs: 20 });
  expect(at(more.pacing, 1000 + removalMs, { ...lost, doubtful: true }).pace).toEqual({
    due: true,
  });
});

test('one whose key has another address is not doubted', () => {
  const moved = { difference: 'moved', changed: true, doubtful: true } as const;
  expect(at(freshPacing, 1000, moved).pace).toEqual({ due: true });
});

test('while too many generations live, additions wait and removals do not', () => {
  const crowded = { livingGenerations: 8 };
  const settled = at(freshPacing, 1000, gained).pacing;
  const look = at(settled, 2000, { difference: 'gained', ...crowded });
  expect(look.pace).toMatchObject({ due: false, because: 'generations' });
  expect(at(look.pacing, 2500, { difference: 'gained', livingGenerations: 7 }).pace.due).toBe(true);
  expect(at(look.pacing, 2000, { ...lost, ...crowded }).pace.due).toBe(true);
});

test('additions leave half of the reloads to removals', () => {
  const half = { ...freshPacing, tokens: keptForRemovals, tokensAtMs: 1000 };
  const settled = at(half, 1000, gained).pacing;
  const look = at(settled, 1200, { difference: 'gained' });
  expect(look.pace).toEqual({ due: false, because: 'reloads', forMs: tokenEveryMs - 200 });
  expect(at(look.pacing, 1200, lost).pace.due).toBe(true);
  expect(at(look.pacing, 1500, { difference: 'gained' }).pace.due).toBe(true);
});

test('when all are spent a removal waits for the next', () => {
  const spent = { ...freshPacing, tokens: 0, tokensAtMs: 1000 };
  const look = at(spent, 1100, lost);
  expect(look.pace).toEqual({ due: false, because: 'reloads', forMs: 400 });
  expect(at(look.pacing, 1500, { difference: 'lost' }).pace.due).toBe(true);
});

test('whatever comes, reloads are bounded by time, and a change waits for a bounded time', () => {
  const anyMoment = fc.record({
    pauseMs: fc.integer({ min: 1, max: 300 }),
    difference: fc.constantFrom<Difference[]>('gained', 'moved', 'lost'),
    doubtful: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyMoment, { minLength: 50, maxLength: 400 }), (moments) => {
      let pacing: Pacing = { ...freshPacing, tokensAtMs: 0 };
      let nowMs = 0;
      let reloads = 0;
      let waitingSinceMs: number | undefined;
      for (const { pauseMs, difference, doubtful } of moments) {
        nowMs += pauseMs;
        const look = at(pacing, nowMs, { difference, doubtful, changed: true });
        ({ pacing } = look);
        waitingSinceMs ??= nowMs;
        const refillMs = (keptForRemovals + 1) * tokenEveryMs;
        expect(nowMs - waitingSinceMs).toBeLessThanOrEqual(rule.settleMaxMs + refillMs + 300);
        if (!look.pace.due) continue;
        reloads += 1;
        waitingSinceMs = undefined;
        expect(reloads).toBeLessThanOrEqual(fullBucket + nowMs / tokenEveryMs);
      }
    }),
  );
});
