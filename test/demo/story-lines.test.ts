import { expect, test } from 'vitest';
import { closingLine, failedLine, passedLine } from '../../scripts/demo/story-lines.ts';

test('a chapter that passed fits in 100 columns', () => {
  const line = passedLine({
    name: 'watchdog-killed',
    seen: 'apache-8001 loses its watchdog: key gone by its lease 5.2 s',
    ...{ tookMs: 7123, failed: 0 },
  });
  expect(line).toBe(
    'watchdog-killed  apache-8001 loses its watchdog: key gone by its lease 5.2 s    7.1 s    0 failed',
  );
  expect(line.length).toBeLessThanOrEqual(100);
});

test('a chapter that failed says what was expected and what was seen', () => {
  const faults = ['expected a within 2.0 s, seen: b', 'the world not put right: c'];
  expect(failedLine({ name: 'killed', faults, tookMs: 2345, failed: 1 })).toBe(
    'FAILED killed: expected a within 2.0 s, seen: b; the world not put right: c (2.3 s, 1 request failed)',
  );
});

test('the last line adds up', () => {
  expect(closingLine({ passed: 7, chapters: 7, sent: 3012, failed: 1, tookMs: 60_000 })).toBe(
    '7 of 7 chapters passed in 60.0 s; 3,012 requests sent, 1 failed, each for a fault that costs some',
  );
});
