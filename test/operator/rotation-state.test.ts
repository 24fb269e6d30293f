import { expect, test } from 'vitest';
import type { Look } from '../../src/operator/look.ts';
import { judgeRotation, type RotationState } from '../../src/operator/rotation-state.ts';
import { acknowledgement, keyUnder, look, order, places, recordAt } from './looks.ts';

const judge = (seen: Partial<Look>, balancers = 1) =>
  judgeRotation(look(seen), { places, balancers });

const key = keyUnder('9', 25);
const lb1 = acknowledgement('lb1');

/** Each state, with a look of which it is so. */
const states: Readonly<Record<RotationState['kind'], Partial<Look>>> = {
  drained: { order },
  absent: { record: recordAt(3) },
  'no backend': { key: { ...key, value: 'x', valueBytes: 1 } },
  confirming: { key, acknowledgements: [acknowledgement('lb1', { revision: 24 })] },
  over: { key, acknowledgements: [lb1] },
};

test.each(Object.entries(states))('%s', (kind, seen) => {
  expect(judge(seen).kind).toBe(kind);
});

test('every balancer must have confirmed it, and there must be enough of them', () => {
  const unproven = acknowledgement('lb2', { revision: 0 });
  expect(judge({ key, acknowledgements: [lb1, unproven] }).kind).toBe('confirming');
  expect(judge({ key, acknowledgements: [lb1] }, 2).kind).toBe('confirming');
  expect(judge({ key, acknowledgements: [] }, 0).kind).toBe('over');
});

test('a balancer that leaves the key out does not serve it', () => {
  const acknowledgements = [acknowledgement('lb1', { omits: ['a'] })];
  expect(judge({ key, acknowledgements }).kind).toBe('confirming');
});

test('while an order stands, a key under a lease is about to go, and one by hand is not', () => {
  const seen = { order, acknowledgements: [lb1] };
  expect(judge({ ...seen, key })).toMatchObject({ kind: 'drained', keyThere: true });
  expect(judge({ ...seen, key: keyUnder('0', 25) }).kind).toBe('over');
});
