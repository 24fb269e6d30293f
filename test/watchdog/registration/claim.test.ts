import { expect, test } from 'vitest';
import { formatRecord } from '../../../src/registry/record.ts';
import { type Claimant, claim } from '../../../src/watchdog/registration/claim.ts';
import { recordOf, storedKey } from '../../support/builders.ts';

const key = '/test/apache-8001';
const recordKey = `/rollcall/watchdogs${key}`;
const value = '127.0.0.1:8001';
const ours: Claimant = {
  ...{ value, instance: 'us', leaseId: 'ours', hasHeld: true },
  byHand: 'restore',
};
const atStart: Claimant = { ...ours, leaseId: undefined, hasHeld: false };

const keyUnder = (leaseId: string, as = value) => storedKey(key, as, { leaseId });
const recordUnder = (leaseId: string, instance: string) =>
  storedKey(recordKey, formatRecord(recordOf({ instance })), { leaseId });

test('a key that is absent is written', () => {
  expect(claim(undefined, undefined, atStart)).toEqual({ kind: 'write', because: 'absent' });
});

test('ours as it should be is held', () => {
  expect(claim(keyUnder('ours'), undefined, ours)).toEqual({ kind: 'held' });
});

test.for([
  ['deleted', undefined, 'deleted by hand'],
  ['overwritten', keyUnder('0', '10.0.0.1:1'), 'overwritten by hand'],
  ['overwritten with the same value and no lease', keyUnder('0'), 'overwritten by hand'],
  ['overwritten under our lease', keyUnder('ours', '10.0.0.1:1'), 'overwritten by hand'],
] as const)(
  '%s by hand: written again, or left so where that is asked for',
  ([, found, because]) => {
    expect(claim(found, undefined, ours)).toEqual({ kind: 'write', because });
    const respecting: Claimant = { ...ours, byHand: 'respect' };
    expect(claim(found, undefined, respecting)).toEqual({ kind: 'respected', because });
  },
);

test('a key that was made by hand before us is taken over, also where changes are respected', () => {
  for (const byHand of ['restore', 'respect'] as const) {
    const claimed = claim(keyUnder('0', '10.0.0.1:1'), undefined, { ...atStart, byHand });
    expect(claimed).toEqual({ kind: 'write', because: 'made by hand' });
  }
});

test('another’s key is another’s, whatever its value; its record says whose', () => {
  const record = recordUnder('theirs', 'them');
  expect(claim(keyUnder('theirs', '10.0.0.1:1'), record, ours)).toMatchObject({
    ...{ kind: 'taken', sameValue: false },
    by: { value: '10.0.0.1:1', leaseId: 'theirs', record: { instance: 'them' } },
  });
  expect(claim(keyUnder('theirs'), record, atStart)).toMatchObject({
    ...{ kind: 'taken', sameValue: true },
  });
});

test('a record that cannot be read, or lies on another lease, names nobody', () => {
  const unreadable = storedKey(recordKey, 'not JSON', { leaseId: 'theirs' });
  const elsewhere = recordUnder('other', 'them');
  for (const record of [unreadable, elsewhere, undefined]) {
    expect(claim(keyUnder('theirs'), record, ours)).toMatchObject({
      ...{ kind: 'taken', by: { record: undefined } },
    });
  }
});

test('a lease of our own that a restored etcd brought back is ours to replace', () => {
  const claimed = claim(keyUnder('old'), recordUnder('old', 'us'), ours);
  expect(claimed).toEqual({ kind: 'write', because: 'our own' });
});

test('the value of another is anybody’s text: it is cut and cleaned before it is shown', () => {
  const hostile = `\u{1b}[31m${'x'.repeat(5000)}`;
  const claimed = claim(keyUnder('theirs', hostile), undefined, ours);
  expect(claimed).toMatchObject({ kind: 'taken', by: { value: `\u{fffd}[31m${'x'.repeat(59)}` } });
});
