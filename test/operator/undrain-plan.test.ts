import { expect, test } from 'vitest';
import { placesOf } from '../../src/operator/look.ts';
import { planUndrain } from '../../src/operator/undrain-plan.ts';
import { formatDrainOrder } from '../../src/registry/drain-order.ts';
import { storedKey } from '../support/builders.ts';

const places = placesOf('/rollcall', '/test/a');
const { key, orderKey } = places;
const orderOf = (value: string | null) =>
  storedKey(orderKey, formatDrainOrder({ by: 'me', at: null, reason: null, value }), {
    modRevision: 8,
  });
const there = storedKey(key, '127.0.0.1:2', { modRevision: 9 });
const deletion = { kind: 'delete', key: orderKey };

test('no order: nothing to do', () => {
  expect(planUndrain(places, { key: there, order: undefined })).toEqual({ kind: 'not drained' });
});

test('of a key by hand: it is put back with the order going, if there is still none', () => {
  expect(planUndrain(places, { key: undefined, order: orderOf('127.0.0.1:1') })).toMatchObject({
    key: 'put back',
    guards: [
      { key: orderKey, modRevision: 8 },
      { key, modRevision: 0 },
    ],
    writes: [deletion, { kind: 'put', key, value: '127.0.0.1:1', leaseId: '0' }],
  });
});

test('somebody put the key already: it stays as it is', () => {
  expect(planUndrain(places, { key: there, order: orderOf('127.0.0.1:1') })).toMatchObject({
    key: 'there',
    guards: [
      { key: orderKey, modRevision: 8 },
      { key, modRevision: 9 },
    ],
    writes: [deletion],
  });
});

test('of a key that a watchdog held: the order goes', () => {
  expect(planUndrain(places, { key: undefined, order: orderOf(null) })).toMatchObject({
    key: 'up to its watchdog',
    writes: [deletion],
  });
});
