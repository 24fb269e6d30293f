import { expect, test } from 'vitest';
import { backoffMs } from '../../src/lib/backoff.ts';

const backoff = { firstMs: 100, maxMs: 1000 };
const delays = (random: number) =>
  [1, 2, 3, 4, 5, 6].map((attempt) => backoffMs(attempt, backoff, () => random));

test('it doubles up to its bound; half of it is random', () => {
  expect(delays(0)).toEqual([50, 100, 200, 400, 500, 500]);
  expect(delays(1)).toEqual([100, 200, 400, 800, 1000, 1000]);
});

test('no number of attempts makes it anything but a delay', () => {
  expect(backoffMs(1e9, backoff, () => 1)).toBe(1000);
});
