import { expect, test } from 'vitest';
import { acknowledge, drainIn } from '../support/acknowledged.ts';
import { key, recordKey, value, watching } from '../support/watching.ts';

const patient = { timeoutMs: 30_000 };

test('told to stop, it lets the key go, serves on until all have confirmed, and ends', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen, status, news } = watchdog;
  for (const host of ['lb1', 'lb2']) acknowledge(store, host);
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(10);
  expect(store.keys.has(key)).toBe(false);
  expect(drainIn(store)).toMatchObject({ by: 'shutdown' });
  const probes = seen.startsMs.length;
  await clock.advance(5000);
  expect(seen.startsMs.length).toBeGreaterThan(probes + 3);
  expect(status()?.waitsFor).toMatchObject([{ who: 'lb1 (pid 7)' }, { who: 'lb2 (pid 7)' }]);
  acknowledge(store, 'lb1');
  await clock.advance(10);
  expect(status()?.drain?.stage).toMatchObject({ kind: 'waiting', confirmed: ['lb1 (pid 7)'] });
  acknowledge(store, 'lb2');
  await clock.advance(10);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: confirmed']);
  expect(store.keys.has(recordKey)).toBe(false);
  expect(news().at(-1)).toContain('every live balancer has confirmed');
});

test('a balancer that dies drops out with its lease', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(5000);
  expect(seen.drained).toEqual([]);
  store.expire('lb1');
  await clock.advance(2100);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: grace']);
});

test('with nobody who could confirm it serves on for the grace', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, seen } = watchdog;
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(1900);
  expect(seen.drained).toEqual([]);
  await clock.advance(200);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: grace']);
});

test('after the deadline it goes anyway, and names who had not confirmed', async () => {
  await using watchdog = watching({}, 'restore', { timeoutMs: 4000 });
  const { clock, store, seen, news } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(4010);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: timeout']);
  expect(news().at(-1)).toMatch(/^warn not drained/);
});

test('without a timeout the key goes at once, with both leases', async () => {
  await using watchdog = watching();
  const { clock, store, seen } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(1);
  await watchdog.ended;
  expect(store.keys.has(key) || store.keys.has(recordKey)).toBe(false);
  expect(seen.drained).toEqual(['shutdown: not waited for']);
});

test('an etcd that is away is asked again until the deadline', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen } = watchdog;
  await clock.advance(1500);
  store.beforeAnswer = async () => {
    throw new Error('etcd is away');
  };
  watchdog.stop();
  await clock.advance(3000);
  expect(store.keys.has(key)).toBe(true);
  store.beforeAnswer = async () => {};
  await clock.advance(1500);
  expect(store.keys.has(key)).toBe(false);
  await clock.advance(2500);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: grace']);
});

test('a restored etcd in which the key is back: it goes again, and older words count for nothing', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  const before = [...store.keys.values()].filter((one) => [key, recordKey].includes(one.key));
  watchdog.stop();
  await clock.advance(100);
  for (const one of before) store.put(one.key, one.value, 'of-old');
  acknowledge(store, 'lb1', 12);
  await clock.advance(2500);
  expect(store.keys.has(key)).toBe(false);
  expect(seen.drained).toEqual([]);
  acknowledge(store, 'lb1');
  await clock.advance(10);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: confirmed']);
});

test('a stand-by takes the key for another backend: that ours went is to be confirmed all the same', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(1);
  store.put(key, '127.0.0.1:9999', 'theirs');
  await clock.advance(5000);
  expect(seen.drained).toEqual([]);
  acknowledge(store, 'lb1');
  await clock.advance(1100);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: confirmed']);
  expect(store.keys.get(key)?.leaseId).toBe('theirs');
});

test('another watchdog holds the key for the same backend: there is nothing left to drain', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(1);
  store.put(key, value, 'theirs');
  await clock.advance(2500);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: nothing to drain']);
  expect(store.keys.get(key)?.leaseId).toBe('theirs');
});

test('stopped while it stands by for another it ends at once', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen } = watchdog;
  store.put(key, '127.0.0.1:9999', 'theirs');
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(100);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: nothing to drain']);
});

test('soon after etcd has forgotten everybody, nobody being known is no sign that nobody is there', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen } = watchdog;
  await clock.advance(1500);
  for (const one of [...store.keys.values()]) store.expire(one.leaseId);
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(5000);
  expect(seen.drained).toEqual([]);
  await clock.advance(6000);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: grace']);
});
