import { expect, test } from 'vitest';
import { type DrainPlan, planDrain } from '../../src/operator/drain-plan.ts';
import { placesOf } from '../../src/operator/look.ts';
import type { Scene } from '../../src/operator/scene.ts';
import { readDrainOrder } from '../../src/registry/drain-order.ts';
import { storedKey } from '../support/builders.ts';

const places = placesOf('/rollcall', '/test/a');
const { key, orderKey } = places;
const otherOrder = '/rollcall/watchdogs/test/b:drain';
const other = storedKey('/test/b', '127.0.0.1:2', { modRevision: 7 });
const byHand = storedKey(key, '127.0.0.1:1', { modRevision: 5 });
const leased = { ...byHand, leaseId: '9' };
const nobody: Scene = {
  ...{ clusterId: 'c', key: undefined, record: undefined, order: undefined },
  ...{ others: [], sameBackend: [], survivor: undefined },
};
const beside: Scene = {
  ...nobody,
  others: [other],
  survivor: { stored: other, orderKey: otherOrder },
};
const said = { by: 'root@web1', at: '2026-01-31T12:00:00.000Z', reason: 'kernel' };

const plan = (scene: Scene, force = false) => planDrain(places, scene, { ...said, force });
function written(scene: Scene, force = false): Extract<DrainPlan, { kind: 'write' }> {
  const planned = plan(scene, force);
  return planned.kind === 'write' ? planned : expect.unreachable(planned.kind);
}

const survivorStands = [
  { key: other.key, modRevision: 7 },
  { key: otherOrder, modRevision: 0 },
];

test('a key under a lease: only the order is written, and only while all is as it was seen', () => {
  const { order, deletesKey, guards, writes } = written({ ...beside, key: leased });
  expect(deletesKey).toBe(false);
  expect(readDrainOrder(order)).toEqual({ ...said, value: null });
  expect(writes).toEqual([{ kind: 'put', key: orderKey, value: order, leaseId: '0' }]);
  expect(guards).toEqual([
    { key: orderKey, modRevision: 0 },
    { key, modRevision: 5 },
    ...survivorStands,
  ]);
});

test('a key by hand: it is deleted with the order, which keeps what it held', () => {
  const { order, deletesKey, guards, writes } = written({ ...beside, key: byHand });
  expect(deletesKey).toBe(true);
  expect(readDrainOrder(order)).toEqual({ ...said, value: byHand.value });
  expect(writes).toEqual([
    { kind: 'put', key: orderKey, value: order, leaseId: '0' },
    { kind: 'delete', key },
  ]);
  expect(guards).toContainEqual({ key, modRevision: 5 });
});

test('no key, but a record: the order, as long as there is no key', () => {
  const record = storedKey(places.recordKey, '{}', { leaseId: '9' });
  const { deletesKey, guards } = written({ ...beside, record });
  expect(deletesKey).toBe(false);
  expect(guards).toContainEqual({ key, modRevision: 0 });
});

test('an order that stands: nothing is written, forced or not', () => {
  const order = storedKey(orderKey, 'by hand');
  for (const force of [false, true]) {
    expect(plan({ ...beside, key: leased, order }, force)).toEqual({
      kind: 'already',
      order: readDrainOrder('by hand'),
    });
  }
});

test('nothing is known of it: refused, with what is there', () => {
  expect(plan(beside)).toEqual({ kind: 'unknown', nearest: ['/test/b'] });
  expect(written(beside, true).guards).toContainEqual({ key, modRevision: 0 });
});

test('the last one: refused; by force it is drained whatever becomes of others', () => {
  expect(plan({ ...nobody, key: leased })).toEqual({ kind: 'last', drained: 0 });
  expect(plan({ ...nobody, key: leased, others: [other] })).toEqual({ kind: 'last', drained: 1 });
  expect(written({ ...nobody, key: leased }, true).guards).toEqual([
    { key: orderKey, modRevision: 0 },
    { key, modRevision: 5 },
  ]);
  expect(written({ ...beside, key: leased }, true).guards).toHaveLength(2);
});

test.each([
  ['a value longer than an order keeps', storedKey(key, 'x'.repeat(3000))],
  ['a value that is no text', { ...storedKey(key, '\u{fffd}'), valueBytes: 1 }],
])('%s cannot be put back: refused, and by force it is not kept', (_what, stored) => {
  const scene = { ...beside, key: stored };
  expect(plan(scene)).toEqual({ kind: 'irreplaceable', valueBytes: stored.valueBytes });
  const { order, deletesKey } = written(scene, true);
  expect(deletesKey).toBe(true);
  expect(readDrainOrder(order).value).toBeNull();
});
