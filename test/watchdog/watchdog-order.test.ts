import { expect, test } from 'vitest';
import { acknowledge, drainIn } from '../support/acknowledged.ts';
import { key, orderKey, refused, watching, well } from '../support/watching.ts';

const patient = { timeoutMs: 30_000 };

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

test('told to stop long after an order was confirmed, it has it confirmed anew', async () => {
  await using watchdog = watching({}, 'restore', patient);
  const { clock, store, seen, ended } = watchdog;
  acknowledge(store, 'lb1');
  await clock.advance(1500);
  store.put(orderKey, '');
  await clock.advance(20);
  acknowledge(store, 'lb1');
  await clock.advance(20);
  expect(seen.drained).toEqual(['operator: confirmed']);
  await clock.advance(60_000);
  acknowledge(store, 'lb2', 1);
  watchdog.stop();
  await clock.advance(2000);
  expect(seen.drained).toHaveLength(1);
  acknowledge(store, 'lb2');
  await clock.advance(20);
  await ended;
  expect(seen.drained).toEqual(['operator: confirmed', 'shutdown: confirmed']);
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
