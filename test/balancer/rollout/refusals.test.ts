import { expect, test } from 'vitest';
import {
  isRefused,
  noRefusals,
  unchangedRetryMs,
  withRefusal,
} from '../../../src/balancer/rollout/refusals.ts';

test('what nginx did not take is known again by all that it was to read, and not for ever', () => {
  const refusals = withRefusal(noRefusals, 'new', { fingerprint: 'all of it', atMs: 1000 });
  expect(isRefused(refusals, 'new', 'all of it', 2000)).toBe(true);
  expect(isRefused(refusals, 'new', 'all of it, mended', 2000)).toBe(false);
  expect(isRefused(refusals, 'newer', 'all of it', 2000)).toBe(false);
  expect(isRefused(refusals, 'new', 'all of it', 1000 + unchangedRetryMs)).toBe(false);
});

test('where the fingerprint could not be told it may be another by now', () => {
  const refusals = withRefusal(noRefusals, 'new', { fingerprint: undefined, atMs: 1000 });
  expect(isRefused(refusals, 'new', undefined, 2000)).toBe(false);
});

test('of many the newest are kept', () => {
  let refusals = noRefusals;
  for (let n = 0; n < 100; n += 1) {
    refusals = withRefusal(refusals, `g${n}`, { fingerprint: 'f', atMs: 0 });
  }
  expect(refusals.size).toBe(32);
  expect(isRefused(refusals, 'g99', 'f', 1)).toBe(true);
});
