import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInDoubt, isUp, judge } from '../../src/watchdog/health.ts';
import type { Health } from '../../src/watchdog/health.ts';
import {
  bounds,
  etcdCallBudgetMs,
  evidenceMs,
  longestRenewalGapMs,
  renewEveryMs,
  withJitter,
} from '../../src/watchdog/timing.ts';

const defaults = { intervalMs: 1000, fastIntervalMs: 250, timeoutMs: 1000, fall: 2 };

test('the defaults leave the longest gap within the default TTL of 5 s', () => {
  // 1100 pause + (1000 failure + 275 pause) + 1000 pass + 1500 call
  expect(longestRenewalGapMs(defaults)).toBe(4875);
});

test('with fall 1 there is no failure that a renewal would have to outlive', () => {
  expect(longestRenewalGapMs({ ...defaults, fall: 1 })).toBe(1100 + 1000 + 1500);
});

const slowest = (pauseMs: number) => withJitter(pauseMs, () => 1);

test('the longest gap is the one that the judgement itself allows', () => {
  const anyCadence = fc.record({
    intervalMs: fc.integer({ min: 100, max: 5000 }),
    fastIntervalMs: fc.integer({ min: 10, max: 100 }),
    timeoutMs: fc.integer({ min: 10, max: 5000 }),
    fall: fc.integer({ min: 1, max: 10 }),
  });
  fc.assert(
    fc.property(anyCadence, (cadence) => {
      let health: Health = { state: 'up' };
      let gapMs = slowest(cadence.intervalMs);
      for (;;) {
        const next: Health = judge(health, 'failed', { rise: 1, fall: cadence.fall });
        if (!isUp(next)) break;
        health = next;
        const pauseMs = isInDoubt(health) ? cadence.fastIntervalMs : cadence.intervalMs;
        gapMs += cadence.timeoutMs + slowest(pauseMs);
      }
      gapMs += cadence.timeoutMs + etcdCallBudgetMs;
      expect(longestRenewalGapMs(cadence)).toBeCloseTo(gapMs);
    }),
  );
});

test('jitter lengthens a pause by up to a tenth and never shortens it', () => {
  expect(withJitter(1000, () => 0)).toBe(1000);
  expect(withJitter(1000, () => 1)).toBe(1100);
});

test('a pass that took its whole timeout is still fresh a moment later', () => {
  expect(evidenceMs(1000)).toBeGreaterThan(1000);
  expect(evidenceMs(1000)).toBeLessThanOrEqual(2000);
});

test('the bounds that the defaults promise', () => {
  expect(bounds(defaults, 5000)).toEqual({
    // 1100 pause + 275 pause + 1500 call
    deadMs: 2875,
    // 1100 pause + 1000 until the companion begins, at the latest + 1000 timeout + 1500 call
    hungMs: 4600,
    // the lease, and half a second for etcd to notice
    unwatchedMs: 5500,
    // the same, from a pass that was 2 s old when it was renewed on, by a call of 1.5 s
    unansweredMs: 9000,
  });
});

const hungMs = (fall: number) => bounds({ ...defaults, fall }, 60_000).hungMs;

test('a hang costs the same for a fall of 2 and of 4, but for the spacing of the companions', () => {
  expect(hungMs(4) - hungMs(2)).toBe(100);
  expect(hungMs(5) - hungMs(4)).toBe(1050);
  expect(hungMs(1)).toBe(1100 + 1000 + 1500);
});

test('a lease is renewed at most twice a second, and five times in its life', () => {
  expect(renewEveryMs(60_000)).toBe(500);
  expect(renewEveryMs(2000)).toBe(400);
});

test('with a timeout longer than the interval, a probe under way may delay the finding of a death', () => {
  const { deadMs } = bounds({ ...defaults, timeoutMs: 3000 }, 60_000);
  expect(deadMs).toBe(3000 + 275 + 1500);
});
