import { expect, test } from 'vitest';
import { placesOf } from '../../src/operator/look.ts';
import { orderDrain, takeBackDrain } from '../../src/operator/order.ts';
import { orderedLines } from '../../src/operator/words.ts';
import { type FakeLeaseStore, fakeLeaseStore } from '../support/fake-lease-store.ts';
import { never } from '../support/virtual-clock.ts';

const recordPrefix = '/rollcall';
const placesIn = (name: string) => placesOf(recordPrefix, `/test/${name}`);
const places = placesIn('a');
const asked = { by: 'root@web1', at: '2026-01-31T12:00:00.000Z', reason: null, force: false };

function storeWith(...names: readonly string[]) {
  const store = fakeLeaseStore();
  for (const [n, name] of names.entries()) store.put(`/test/${name}`, `127.0.0.1:${n + 1}`);
  return store;
}
const drain = (store: FakeLeaseStore, name = 'a', rest = {}) =>
  orderDrain(store, { places: placesIn(name), recordPrefix }, { ...asked, ...rest }, never);
const writesOf = ({ calls }: FakeLeaseStore) => calls.filter((call) => call.startsWith('put'));

/** Once, right before the first write. */
function beforeWrite(store: FakeLeaseStore, happens: () => void): void {
  let isDone = false;
  store.beforeAnswer = async (call) => {
    if (isDone || !/^(put|delete) /.test(call)) return;
    isDone = true;
    happens();
  };
}

test('the revision is the one at which the key went', async () => {
  const store = storeWith('a', 'b');
  const { plan, revision } = await drain(store);
  expect(plan).toMatchObject({ kind: 'write', deletesKey: true });
  expect([...store.keys.keys()]).toEqual(['/test/b', places.orderKey]);
  expect(revision).toBeGreaterThanOrEqual(store.keys.get(places.orderKey)?.modRevision ?? 0);
});

test('another key with the same address is no other backend, and is named', async () => {
  const store = storeWith('a');
  store.put('/test/twin', '127.0.0.1:1', '7');
  expect((await drain(store)).plan).toEqual({ kind: 'last', drained: 0 });
  store.put('/test/b', '127.0.0.1:2');
  const { plan, scene } = await drain(store);
  if (plan.kind !== 'write') expect.unreachable(plan.kind);
  expect(orderedLines('/test/a', plan, scene)).toContainEqual(
    expect.stringMatching(/^\/test\/twin has the same address/),
  );
});

test('the one that would be left is drained at the same time: the second sees that it is the last', async () => {
  const store = storeWith('a', 'b');
  beforeWrite(store, () => store.put(placesIn('b').orderKey, ''));
  expect((await drain(store)).plan).toEqual({ kind: 'last', drained: 1 });
  expect(store.keys.has(places.orderKey)).toBe(false);
});

test('the one that would be left goes at the same time: the second sees that it is the last', async () => {
  const store = storeWith('a', 'b');
  beforeWrite(store, () => store.remove('/test/b'));
  expect((await drain(store)).plan).toEqual({ kind: 'last', drained: 0 });
});

test('the key is put anew at the same time: what it holds then is what the order keeps', async () => {
  const store = storeWith('a', 'b');
  beforeWrite(store, () => store.put('/test/a', '127.0.0.9:9'));
  expect((await drain(store)).plan.kind).toBe('write');
  expect(store.keys.get(places.orderKey)?.value).toContain('127.0.0.9:9');
});

test('a key that changes all the time is given up, with nothing changed', async () => {
  const store = storeWith('a', 'b');
  store.beforeAnswer = async (call) => {
    if (call.startsWith('put')) store.put('/test/a', '127.0.0.9:9');
  };
  await expect(drain(store)).rejects.toThrow('nothing was changed');
  expect(writesOf(store)).toHaveLength(5);
  expect(store.keys.has(places.orderKey)).toBe(false);
});

test('a write whose answer is lost is told from one that was not made by what is there', async () => {
  const store = storeWith('a', 'b');
  const change = store.change.bind(store);
  store.change = async (...all) => {
    await change(...all);
    throw new Error('no answer');
  };
  const { plan, revision } = await drain(store);
  expect(plan.kind).toBe('write');
  expect(revision).toBe(store.keys.get(places.orderKey)?.modRevision);

  const another = storeWith('a', 'b');
  another.change = async () => {
    throw new Error('no answer');
  };
  await expect(drain(another)).rejects.toThrow('no answer');
});

test('a write that was made and then tried again by the client is ours all the same', async () => {
  const store = storeWith('a', 'b');
  const change = store.change.bind(store);
  store.change = async (...all) => {
    await change(...all);
    return await change(...all);
  };
  expect((await drain(store)).plan.kind).toBe('write');
});

test('a prefix whose first keys are all drained: one further on is found', async () => {
  const names = Array.from({ length: 40 }, (_, n) => `b${n + 10}`);
  const store = storeWith('a', ...names);
  for (const name of names.slice(0, -1)) store.put(placesIn(name).orderKey, '');
  expect((await drain(store)).plan.kind).toBe('write');
  expect((await drain(store, 'b49')).plan).toEqual({ kind: 'last', drained: 39 });
});

test('keys that are no backends, and those further below, are not what would be left', async () => {
  const store = storeWith('a');
  store.put('/test/b', 'nonsense');
  store.put('/test/deep/c', '127.0.0.1:3');
  expect((await drain(store)).plan).toEqual({ kind: 'last', drained: 0 });
});

test('taking it back: what changes at the same time is looked at anew', async () => {
  const store = storeWith('a', 'b');
  await drain(store);
  beforeWrite(store, () => store.put('/test/a', '127.0.0.9:9'));
  expect((await takeBackDrain(store, places, never)).plan).toMatchObject({ key: 'there' });
  expect(store.keys.get('/test/a')?.value).toBe('127.0.0.9:9');
  expect(store.keys.has(places.orderKey)).toBe(false);
  expect((await takeBackDrain(store, places, never)).plan).toEqual({ kind: 'not drained' });
});

test('taking it back: a write that was made and then tried again by the client is ours', async () => {
  const store = storeWith('a', 'b');
  await drain(store);
  const change = store.change.bind(store);
  store.change = async (...all) => {
    await change(...all);
    return await change(...all);
  };
  expect((await takeBackDrain(store, places, never)).plan).toMatchObject({ key: 'put back' });
});

test('of a key of which nothing is known, the nearest of very many are named', async () => {
  const store = storeWith(...Array.from({ length: 90 }, (_, n) => `b${n + 10}`));
  const { plan } = await drain(store, 'b999');
  expect(plan).toMatchObject({
    kind: 'unknown',
    nearest: expect.arrayContaining(['/test/b99']) as unknown,
  });
});
