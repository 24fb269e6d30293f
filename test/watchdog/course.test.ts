import { expect, test } from 'vitest';
import {
  afterIdleClose,
  afterProbe,
  begin,
  type Course,
  type Rules,
} from '../../src/watchdog/course.ts';
import type { FailureKind, ProbeResult } from '../../src/watchdog/probe/result.ts';

const rules: Rules = {
  ...{ intervalMs: 1000, fastIntervalMs: 250, timeoutMs: 1000 },
  ...{ rise: 1, fall: 3, startGraceMs: 5000 },
};
const at = (nowMs: number) => ({ nowMs, date: new Date(nowMs), random: () => 0 });
const passed = (startedAtMs: number): ProbeResult => ({ passed: true, startedAtMs, durationMs: 5 });
const failed = (
  startedAtMs: number,
  reason = 'connection refused',
  kind: FailureKind = 'refused',
): ProbeResult => ({
  ...{ passed: false, kind, phase: 'connect', reason, startedAtMs, durationMs: 5 },
});

/** Each result is judged 5 ms after its probe began. */
const through = (results: readonly ProbeResult[], from: Course = begin(rules, at(0))) =>
  results.reduce(
    (course, result) => afterProbe(course, result, rules, at(result.startedAtMs + 5)),
    from,
  );

test('a failure of a probe that is older than a pass is the past: it changes nothing', () => {
  const up = through([passed(100), passed(2000)]);
  const late = afterProbe(up, failed(1900, 'timeout', 'timeout'), rules, at(2900));
  expect(late).toBe(up);
  expect(through([failed(2100)], up).health).toEqual({ state: 'failing', failures: 1 });
});

test('a late pass of an older probe still counts', () => {
  const failing = through([passed(100), failed(2000)]);
  const late = afterProbe(failing, passed(1900), rules, at(2900));
  expect(late.health).toEqual({ state: 'up' });
});

test('reason and since change with the state, and with nothing else', () => {
  const up = through([passed(100)]);
  expect(up).toMatchObject({ since: new Date(105), reason: undefined });
  const failing = through([failed(2000, 'status 500')], up);
  expect(failing).toMatchObject({ since: new Date(2005), reason: 'status 500' });
  const still = through([failed(2500, 'status 502')], failing);
  expect(still).toMatchObject({ since: new Date(2005), reason: 'status 500' });
  const down = through([failed(3000, 'status 503')], still);
  expect(down).toMatchObject({
    since: new Date(3005),
    reason: 'status 503',
    health: { state: 'down' },
  });
  expect(through([passed(4000)], down)).toMatchObject({
    reason: 'status 503',
    health: { state: 'up' },
  });
});

test('an alarm ends with the verdict: what is down is asked at the usual pace', () => {
  const alarmed = afterIdleClose(through([passed(100)]), at(500));
  expect(alarmed.alarm.raised).toBe(true);
  const failing = through([failed(501)], alarmed);
  expect(failing).toMatchObject({ pauseMs: 25, alarm: { raised: true } });
  const down = through([failed(530), failed(560)], failing);
  expect(down).toMatchObject({ pauseMs: 1000, alarm: { raised: false } });
});

test('only what never was up is excused, and only within the grace', () => {
  const starting = through([failed(100), failed(400), failed(700), failed(1000)]);
  expect(starting.health.state).toBe('starting');
  const after = through([failed(5000), failed(5300), failed(5600)], starting);
  expect(after.health.state).toBe('down');
  expect(through([passed(100), failed(400), failed(700), failed(1000)]).health.state).toBe('down');
});

test('how slow a backend usually is: only by its passes while it was up', () => {
  const slow = (startedAtMs: number): ProbeResult => ({ ...passed(startedAtMs), durationMs: 900 });
  const up = through([slow(100), passed(2000), passed(3000)]);
  expect(up.passesMs).toEqual([5, 5]);
  const again = through([failed(4000), slow(5000), passed(6000), slow(7000)], up);
  expect(again.passesMs).toEqual([5, 5, 5, 900]);
});
