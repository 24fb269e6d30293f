import { expect, test } from 'vitest';
import { claim } from '../../src/watchdog/claim.ts';
import { storedKey } from '../support/builders.ts';

const key = '/test/apache-8001';
const ours = { value: '127.0.0.1:8001', leaseId: 'ours', hasHeld: true };
const justStarted = { ...ours, hasHeld: false };
const foreign = { leaseId: 'theirs' };

test('a key that is not there is written', () => {
  expect(claim(undefined, ours)).toEqual({ kind: 'write', because: 'absent' });
  expect(claim(undefined, justStarted)).toEqual({ kind: 'write', because: 'absent' });
});

test('a key under our lease with our value is held', () => {
  expect(claim(storedKey(key, ours.value, { leaseId: 'ours' }), ours)).toEqual({ kind: 'held' });
});

test('another value under our lease is put right', () => {
  const found = storedKey(key, '127.0.0.1:9999', { leaseId: 'ours' });
  expect(claim(found, ours)).toEqual({ kind: 'write', because: 'overwritten' });
});

test('a longer value that begins like ours is another value', () => {
  const found = storedKey(key, ours.value, { leaseId: 'ours', valueBytes: 1_000_000 });
  expect(claim(found, ours)).toEqual({ kind: 'write', because: 'overwritten' });
});

test.each([ours.value, '127.0.0.1:9999'])('%s without a lease is nobody’s', (value) => {
  const expected = { kind: 'write', because: 'overwritten' };
  expect(claim(storedKey(key, value), ours)).toEqual(expected);
  expect(claim(storedKey(key, value), justStarted)).toEqual(expected);
});

test('what our predecessor left behind is taken over, at the start only', () => {
  const found = storedKey(key, ours.value, foreign);
  expect(claim(found, justStarted)).toEqual({ kind: 'write', because: 'left behind' });
  expect(claim(found, ours)).toEqual({ kind: 'taken', by: found });
});

test.each([ours, justStarted])(
  'another value under a living lease is another’s: %j',
  (claimant) => {
    const found = storedKey(key, '127.0.0.1:9999', foreign);
    expect(claim(found, claimant)).toEqual({ kind: 'taken', by: found });
  },
);
