import { expect, test } from 'vitest';
import { formatPrograms, formatTotals } from '../support/summary.ts';

test('a good run names what passed and that nothing failed', () => {
  expect(formatTotals({ passed: 12, failed: 0, skipped: 0 }, 0)).toBe('12 passed, 0 failed');
});

test('skipped tests are named only where there are any', () => {
  expect(formatTotals({ passed: 3, failed: 1, skipped: 2 }, 1)).toBe(
    '3 passed, 1 failed, 2 skipped',
  );
});

test('a bad exit that no test accounts for counts as one failure', () => {
  expect(formatTotals({ passed: 12, failed: 0, skipped: 0 }, 1)).toBe('12 passed, 1 failed');
  expect(formatTotals({ passed: 0, failed: 0, skipped: 0 }, 1)).toBe('0 passed, 1 failed');
  expect(formatTotals({ passed: 12, failed: 2, skipped: 0 }, 1)).toBe('12 passed, 2 failed');
});

test('the programs are named with their versions and where etcd came from', () => {
  expect(
    formatPrograms({
      etcd: { version: '3.5.21', origin: 'testcontainers, image example/etcd:1' },
      nginx: '1.22.1',
      apache: '2.4.66',
    }),
  ).toBe('etcd 3.5.21 (testcontainers, image example/etcd:1), nginx 1.22.1, apache 2.4.66');
});
