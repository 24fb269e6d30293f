import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Alarm, onIdleClose, onPass, quiet } from '../../src/watchdog/alarm.ts';

const intervalMs = 1000;

test('a close raises the alarm, until a probe passes', () => {
  const raised = onIdleClose(quiet, 500);
  expect(raised.raised).toBe(true);
  expect(onPass(raised, 510, intervalMs).raised).toBe(false);
});

test('a needless alarm mutes the next ones: 2 s, 4 s, 8 s ... a minute', () => {
  let alarm = quiet;
  let nowMs = 0;
  const mutes = Array.from({ length: 8 }, () => {
    alarm = onPass(onIdleClose(alarm, nowMs), nowMs, intervalMs);
    const muteMs = alarm.mutedUntilMs - nowMs;
    nowMs = alarm.mutedUntilMs;
    return muteMs;
  });
  expect(mutes).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('a muted close is no alarm', () => {
  const muted = onPass(onIdleClose(quiet, 0), 0, intervalMs);
  expect(onIdleClose(muted, 1999).raised).toBe(false);
  expect(onIdleClose(muted, 2000).raised).toBe(true);
});

test('a connection that outlives its pause ends the muting, a muted close does not', () => {
  const muted = onPass(onIdleClose(quiet, 0), 0, intervalMs);
  expect(onPass(onIdleClose(muted, 500), 1000, intervalMs)).toMatchObject({ needless: 1 });
  expect(onPass(muted, 1000, intervalMs)).toEqual(quiet);
});

test('no probe storm: however apache closes, needless alarms grow with the logarithm of time', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 999 }), { minLength: 2000 }), (agesMs) => {
      let alarm: Alarm = quiet;
      let nowMs = 0;
      let needless = 0;
      // Every connection is closed before the pause has ended.
      for (const ageMs of agesMs) {
        nowMs += ageMs;
        alarm = onIdleClose(alarm, nowMs);
        if (alarm.raised) needless += 1;
        else nowMs += intervalMs - ageMs;
        alarm = onPass(alarm, nowMs, intervalMs);
      }
      expect(needless).toBeLessThanOrEqual(6 + nowMs / 60_000);
    }),
    { numRuns: 20 },
  );
});
