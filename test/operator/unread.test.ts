/** A watchdog of a release that is newer: what is said of it is that, and not that there is none. */
import { expect, test } from 'vitest';
import { judgeDrain, nothingSeen } from '../../src/operator/drain-state.ts';
import { judgeRotation } from '../../src/operator/rotation-state.ts';
import {
  drainPendingWords,
  rotationPendingWords,
  takenBackWords,
} from '../../src/operator/words.ts';
import { keyUnder, look, order, places, recordAt } from './looks.ts';

const readable = recordAt(15);
const record = { ...readable, value: readable.value.replace('"format":1', '"format":2') };
const unread =
  'the record of its watchdog cannot be read: it is of format 2, and this rollcall knows 1: upgrade this one';

test('a drain that waits for its key to go', () => {
  const seen = look({ key: keyUnder('9'), record, order });
  const { state } = judgeDrain(nothingSeen, seen, { places, until: 'confirmed', balancers: 0 });
  expect(state.kind === 'key there' && drainPendingWords('/test/a', state)).toEqual([
    `/test/a is still there, held under lease 9; ${unread}`,
  ]);
});

test('a backend that is waited for', () => {
  const state = judgeRotation(look({ record }), { places, balancers: 0 });
  expect(state.kind === 'absent' && rotationPendingWords('/test/a', state)).toEqual([
    `/test/a is not there: ${unread}`,
  ]);
});

test('an order that is taken back', () => {
  const given = { by: 'me', at: null, reason: null, value: null };
  const after = { kind: 'write', key: 'up to its watchdog' } as const;
  const plan = { ...after, order: given, guards: [], writes: [] };
  expect(takenBackWords('/test/a', plan, { record })).toBe(
    `/test/a: the order is taken back: ${unread}`,
  );
});

test('without a lease it is nobody, whatever its format', () => {
  const state = judgeRotation(look({ record: { ...record, leaseId: '0' } }), {
    ...{ places, balancers: 0 },
  });
  expect(state.kind === 'absent' && rotationPendingWords('/test/a', state)).toEqual([
    '/test/a is not there: no watchdog is known that would put it',
  ]);
});
