import { expect, test } from 'vitest';
import { lookAt } from '../../src/operator/look.ts';
import { fakeLeaseStore } from '../support/fake-lease-store.ts';
import { never } from '../support/virtual-clock.ts';
import { places } from './looks.ts';

test('the key, its record, its order and who acknowledges its prefix', async () => {
  const store = fakeLeaseStore();
  const acknowledged = `${places.balancers}/lb1`;
  for (const key of [places.key, places.recordKey, places.orderKey, acknowledged]) {
    store.put(key, `of ${key}`);
  }
  // Of the prefix /test/deep, which has balancers of its own, and of another beside it.
  store.put(`${places.balancers}/deep/lb2`, '');
  store.put(`${places.balancers}2/lb3`, '');
  expect(await lookAt(store, places, never)).toMatchObject({
    key: { value: `of ${places.key}` },
    record: { value: `of ${places.recordKey}` },
    order: { value: `of ${places.orderKey}` },
    acknowledgements: [{ key: acknowledged }],
  });
});

test('more balancers than are read: nobody can say that all have confirmed', async () => {
  const store = fakeLeaseStore();
  for (let n = 0; n < 1000; n += 1) store.put(`${places.balancers}/lb${n}`, '');
  expect((await lookAt(store, places, never)).acknowledgements).toHaveLength(1000);
  store.put(`${places.balancers}/lb1000`, '');
  await expect(lookAt(store, places, never)).rejects.toThrow('more than 1000 keys');
});
