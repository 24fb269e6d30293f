import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  drawPauseMs,
  nextProbeAtMs,
  type Probing,
  remember,
  suspiciousAfterMs,
} from '../../src/watchdog/schedule.ts';
import { mostInFlight } from '../../src/watchdog/timing.ts';

const cadence = { intervalMs: 1000, fastIntervalMs: 250, timeoutMs: 1000, fall: 2 };
const up: Probing = {
  health: { state: 'up' },
  inFlightSinceMs: [],
  lastStartMs: 0,
  lastEndMs: 10,
  pauseMs: 1000,
  alarmed: false,
  suspiciousAfterMs: 100,
  timedOut: false,
};
const notYet = Number.POSITIVE_INFINITY;

test('with nothing in flight the next probe comes when its pause is over', () => {
  expect(nextProbeAtMs(up, cadence)).toBe(1010);
});

test('an alarm does not wait for the end of the pause', () => {
  expect(nextProbeAtMs({ ...up, alarmed: true }, cadence)).toBeLessThanOrEqual(10);
});

test('an alarm does not hurry what is down', () => {
  expect(nextProbeAtMs({ ...up, health: { state: 'down' }, alarmed: true }, cadence)).toBe(1010);
});

test('a probe that hangs gets as many companions as make up fall, a moment apart', () => {
  const hanging = { ...up, inFlightSinceMs: [2000], lastStartMs: 2000 };
  expect(nextProbeAtMs(hanging, cadence)).toBe(2100);
  const accompanied = { ...up, inFlightSinceMs: [2000, 2100], lastStartMs: 2100 };
  expect(nextProbeAtMs(accompanied, cadence)).toBe(notYet);
  expect(nextProbeAtMs(accompanied, { fall: 3 })).toBe(2150);
});

test('after a timeout nothing is left to be suspected: what is missing begins', () => {
  const failing: Probing = { ...up, health: { state: 'failing', failures: 1 }, timedOut: true };
  expect(nextProbeAtMs(failing, { fall: 3 })).toBe(failing.lastEndMs);
  const inFlight = { ...failing, inFlightSinceMs: [2000], lastStartMs: 2000 };
  expect(nextProbeAtMs(inFlight, { fall: 3 })).toBe(2050);
  expect(nextProbeAtMs({ ...inFlight, timedOut: false }, { fall: 3 })).toBe(2100);
});

test('failures that are counted already need no companion', () => {
  const failing: Probing = {
    ...up,
    health: { state: 'failing', failures: 1 },
    inFlightSinceMs: [2000],
    lastStartMs: 2000,
  };
  expect(nextProbeAtMs(failing, { fall: 2 })).toBe(notYet);
  expect(nextProbeAtMs(failing, { fall: 3 })).toBe(2100);
});

test('what is not up is probed one at a time', () => {
  for (const state of ['starting', 'down', 'rising'] as const) {
    const health = { state, passes: 0, failures: 0 };
    expect(nextProbeAtMs({ ...up, health, inFlightSinceMs: [0] }, cadence)).toBe(notYet);
  }
});

test('never more probes at once than the bound, whatever fall is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 200 }), (fall, n) => {
      const inFlightSinceMs = Array.from({ length: n }, (_, index) => index);
      const next = nextProbeAtMs({ ...up, inFlightSinceMs }, { fall });
      if (n >= Math.min(fall, mostInFlight)) expect(next).toBe(notYet);
      else expect(next).toBeLessThan(notYet);
    }),
  );
});

test('suspicious is what takes three times the slowest of late, and always before the timeout', () => {
  expect(suspiciousAfterMs([5, 50, 20], 1000)).toBe(150);
  expect(suspiciousAfterMs([1], 1000)).toBe(100);
  expect(suspiciousAfterMs([600], 1000)).toBe(800);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 2000, noNaN: true }), { maxLength: 20 }),
      fc.integer({ min: 10, max: 5000 }),
      (durationsMs, timeoutMs) => {
        expect(suspiciousAfterMs(durationsMs, timeoutMs)).toBeLessThanOrEqual(timeoutMs);
      },
    ),
  );
});

test('a backend that has become slow is left alone as soon as that is known', () => {
  const quick = Array.from({ length: 20 }, () => 5);
  expect(suspiciousAfterMs(quick, 1000)).toBeLessThan(400);
  expect(suspiciousAfterMs(remember(quick, 400), 1000)).toBeGreaterThan(400);
});

test('a slow pass is forgotten after twenty quicker ones', () => {
  const durations = Array.from({ length: 20 }).reduce<readonly number[]>(
    (known) => remember(known, 5),
    [400],
  );
  expect(suspiciousAfterMs(durations, 1000)).toBe(100);
});

const ended = {
  before: { state: 'up' },
  after: { state: 'up' },
  kind: undefined,
  alarmed: false,
} as const;
const half = () => 0.5;

const pause = (change: Partial<Parameters<typeof drawPauseMs>[0]>) =>
  drawPauseMs({ ...ended, ...change }, cadence, half);

test('the pause: the interval while all is well or down, the fast one in doubt', () => {
  expect(pause({})).toBe(1050);
  expect(pause({ after: { state: 'failing', failures: 1 }, kind: 'status' })).toBe(262.5);
  expect(pause({ before: { state: 'failing', failures: 1 }, after: { state: 'down' } })).toBe(1050);
});

test('after an alarm a refused connection is asked again at once; a wrong status is not', () => {
  const failing = { before: { state: 'up' }, after: { state: 'failing', failures: 1 } } as const;
  expect(drawPauseMs({ ...failing, kind: 'refused', alarmed: true }, cadence, half)).toBe(25);
  expect(drawPauseMs({ ...failing, kind: 'status', alarmed: true }, cadence, half)).toBe(262.5);
  expect(drawPauseMs({ ...failing, kind: 'refused', alarmed: false }, cadence, half)).toBe(262.5);
});

test('a thousand sidecars that start together are spread over the interval within ten of them', () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let sidecar = 0; sidecar < 1000; sidecar += 1) {
    let atMs = 0;
    let pauseMs = drawPauseMs(
      { ...ended, before: { state: 'starting', passes: 0, failures: 0 }, after: { state: 'up' } },
      cadence,
      Math.random,
    );
    while (atMs + pauseMs < 10_000) {
      atMs += pauseMs;
      pauseMs = drawPauseMs(
        { ...ended, before: { state: 'up' }, after: { state: 'up' } },
        cadence,
        Math.random,
      );
    }
    const tenth = Math.floor((atMs % 1000) / 100);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  // In step, all thousand would be in one tenth; evenly spread, a hundred in each.
  expect(Math.max(...tenths)).toBeLessThan(250);
});
