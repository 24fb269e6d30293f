import { expect, test } from 'vitest';
import { formatAcknowledgement } from '../../src/registry/acknowledgement.ts';
import { parseRecord } from '../../src/registry/record.ts';
import { saying } from '../support/acknowledged.ts';
import type { FakeLeaseStore } from '../support/fake-lease-store.ts';
import {
  acknowledgements,
  key,
  orderKey,
  recordKey,
  refused,
  watching,
  well,
} from '../support/watching.ts';

const patient = { timeoutMs: 30_000 };

const drainIn = (store: FakeLeaseStore) => {
  const parsed = parseRecord(store.keys.get(recordKey)?.value ?? '');
  return parsed.ok ? parsed.value.drain : undefined;
};

/** As a balancer does, once its nginx serves everything up to now. */
function acknowledge(store: FakeLeaseStore, host: string, upTo?: number): void {
  const revision = upTo ?? Math.max(1, ...[...store.keys.values()].map((one) => one.modRevision));
  store.put(`${acknowledgements}/${host}`, formatAcknowledgement(saying(host, revision)), host);
}

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

test('the same key registered anew by another: there is nothing left to drain', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  watchdog.stop();
  await clock.advance(100);
  store.put(key, '127.0.0.1:9999', 'theirs');
  await clock.advance(1500);
  await watchdog.ended;
  expect(seen.drained).toEqual(['shutdown: nothing to drain']);
  expect(store.keys.get(key)?.leaseId).toBe('theirs');
});

test('an order drains it, for as long as it stands; it is probed, and says so', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, apache, seen, status, state } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  store.put(orderKey, '{"by":"ada@web1"}');
  await clock.advance(20);
  expect(store.keys.has(key)).toBe(false);
  expect(drainIn(store)).toMatchObject({ by: 'operator' });
  expect(status()).toMatchObject({ isRegistered: false, words: 'not held: drained' });
  acknowledge(store, 'lb1');
  await clock.advance(20);
  expect(seen.drained).toEqual(['operator: confirmed']);
  apache.answer = () => refused;
  await clock.advance(3000);
  expect(state()).toBe('down');
  apache.answer = () => well;
  await clock.advance(60_000);
  expect(state()).toBe('up');
  expect(store.keys.has(key)).toBe(false);
  expect(seen.drained).toHaveLength(1);
  store.remove(orderKey);
  await clock.advance(500);
  expect(store.keys.has(key)).toBe(true);
  expect(drainIn(store)).toBeNull();
  expect(status()?.drain).toBeUndefined();
});

test('an order that is taken back is heeded at once, however rarely it probes', async () => {
  const rare = { intervalMs: 60_000, timeoutMs: 1000 };
  await using watchdog = watching(rare, 'restore', patient);
  const { clock, store } = watchdog;
  await clock.advance(1500);
  store.put(orderKey, '');
  await clock.advance(100);
  expect(store.keys.has(key)).toBe(false);
  await clock.advance(20_000);
  store.remove(orderKey);
  await clock.advance(700);
  expect(store.keys.has(key)).toBe(true);
});

test('started while an order stands it takes nothing, and is drained', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, status } = watchdog;
  store.put(orderKey, '');
  await clock.advance(3000);
  expect(store.keys.has(key)).toBe(false);
  expect(drainIn(store)).toMatchObject({ by: 'operator' });
  expect(status()?.drain).toMatchObject({ by: 'operator', stage: { kind: 'over' } });
});

test('it is in rotation once all balancers have confirmed, and then looks no more', async () => {
  await using watchdog = watching();
  const { clock, store, status, news } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  expect(status()).toMatchObject({ isRegistered: true, isInRotation: false });
  expect(status()?.waitsFor).toMatchObject([{ who: 'lb1 (pid 7)' }]);
  acknowledge(store, 'lb1');
  await clock.advance(20);
  expect(status()).toMatchObject({ isInRotation: true, servedBy: ['lb1 (pid 7)'], waitsFor: [] });
  expect(news().at(-1)).toContain('in rotation');
  store.calls.length = 0;
  acknowledge(store, 'lb2', 1);
  await clock.advance(30_000);
  expect(store.calls.filter((call) => call === 'read moment')).toEqual([]);
  expect(status()?.isInRotation).toBe(true);
});
