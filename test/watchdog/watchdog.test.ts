import { expect, test } from 'vitest';
import { parseRecord } from '../../src/registry/record.ts';
import { key, recordKey, refused, value, watching, well } from '../support/watching.ts';

const away = async () => {
  throw new Error('etcd is away');
};

test('the key is written after rise passes, and renewed by each one that follows', async () => {
  await using watchdog = watching();
  const { clock, store, status } = watchdog;
  await clock.advance(249);
  expect(store.keys.has(key)).toBe(false);
  await clock.advance(10);
  expect(store.keys.get(key)?.value).toBe(value);
  expect(status()).toMatchObject({ course: { health: { state: 'up' } }, isRegistered: true });
  await clock.advance(1300);
  store.calls.length = 0;
  await clock.advance(3000);
  expect(store.calls.filter((call) => call.startsWith('renew'))).toHaveLength(3);
  expect(store.calls.filter((call) => call.startsWith('put'))).toEqual([]);
});

test('a failing backend keeps its key unrenewed, and loses it at once when it is down', async () => {
  await using watchdog = watching();
  const { clock, store, apache, state, status } = watchdog;
  await clock.advance(1500);
  store.calls.length = 0;
  apache.answer = () => refused;
  await clock.advance(800);
  expect(state()).toBe('failing');
  expect(status()?.isRegistered).toBe(true);
  await clock.advance(250);
  expect(store.calls.filter((call) => call === 'renew lease-2')).toEqual([]);
  expect(store.keys.has(key)).toBe(false);
  expect(status()).toMatchObject({ isRegistered: false, words: 'not held: down' });
});

test('the record follows the transitions, and says proven down with the reason', async () => {
  await using watchdog = watching();
  const { clock, store, apache } = watchdog;
  const record = () => parseRecord(store.keys.get(recordKey)?.value ?? '');
  await clock.advance(100);
  expect(record()).toMatchObject({ value: { state: 'starting', reason: null } });
  await clock.advance(500);
  expect(record()).toMatchObject({ value: { state: 'up', reason: null } });
  apache.answer = () => refused;
  await clock.advance(2000);
  expect(record()).toMatchObject({ value: { state: 'down', reason: 'connection refused' } });
});

test('at steady state nothing is written: not while up, not while down', async () => {
  await using watchdog = watching();
  const { clock, store, apache } = watchdog;
  for (const answer of [well, refused]) {
    apache.answer = () => answer;
    await clock.advance(5000);
    store.calls.length = 0;
    await clock.advance(60_000);
    expect(store.calls.filter((call) => !/^(renew|read)/.test(call))).toEqual([]);
  }
});

test('a removal that etcd did not take is tried again, without any event', async () => {
  await using watchdog = watching();
  const { clock, store, apache } = watchdog;
  await clock.advance(500);
  apache.answer = () => refused;
  store.beforeAnswer = away;
  await clock.advance(5000);
  expect(store.keys.has(key)).toBe(true);
  store.beforeAnswer = async () => {};
  await clock.advance(1000);
  expect(store.keys.has(key)).toBe(false);
});

test('etcd away is warned of once, and its return is told', async () => {
  await using watchdog = watching();
  const { clock, store, news } = watchdog;
  await clock.advance(500);
  store.beforeAnswer = away;
  await clock.advance(10_000);
  store.beforeAnswer = async () => {};
  await clock.advance(2000);
  expect(news()).toEqual([
    'info backend is up',
    'info key written',
    'warn etcd does not do what was asked; trying again',
    'info etcd answers again',
  ]);
});

test('an etcd that does not answer delays no probe', async () => {
  await using watchdog = watching();
  const { clock, store, seen } = watchdog;
  await clock.advance(500);
  store.beforeAnswer = () => new Promise(() => {});
  const before = seen.startsMs.length;
  await clock.advance(10_000);
  expect(seen.startsMs.length - before).toBeGreaterThanOrEqual(9);
});

test('a verdict does not wait for a renewal that etcd leaves without an answer', async () => {
  await using watchdog = watching();
  const { clock, store, apache, bells } = watchdog;
  await clock.advance(500);
  store.beforeAnswer = (call) =>
    call.startsWith('renew lease-2') ? new Promise(() => {}) : Promise.resolve();
  await clock.advance(1000);
  apache.answer = () => refused;
  bells.onIdleClose();
  await clock.advance(100);
  expect(store.keys.has(key)).toBe(false);
});

test('a key of another watchdog is waited for, and taken when it goes', async () => {
  await using watchdog = watching();
  const { clock, store, status, news } = watchdog;
  store.put(key, '127.0.0.1:9999', 'theirs');
  store.othersMs.set('theirs', 4000);
  await clock.advance(3000);
  expect(status()).toMatchObject({
    ...{ isRegistered: false },
    words: 'held by an unknown holder of lease theirs, as 127.0.0.1:9999',
  });
  expect(news().filter((line) => line.includes('standing by'))).toHaveLength(1);
  store.expire('theirs');
  await clock.advance(10);
  expect(store.keys.get(key)?.value).toBe(value);
});

test('a key deleted or overwritten by hand comes back at once, on no new probe', async () => {
  await using watchdog = watching({ intervalMs: 60_000 });
  const { clock, store, seen } = watchdog;
  await clock.advance(1500);
  store.calls.length = 0;
  const probes = seen.startsMs.length;
  store.remove(key);
  await clock.advance(10);
  expect(store.keys.get(key)?.value).toBe(value);
  store.put(key, '10.0.0.1:1');
  await clock.advance(10);
  expect(store.keys.get(key)?.value).toBe(value);
  expect(seen.startsMs.length).toBe(probes);
  expect(store.calls.filter((call) => call.startsWith('renew'))).toEqual([]);
});

test('a shutdown removes the key and its record', async () => {
  await using watchdog = watching();
  const { clock, store, ended, news, stop } = watchdog;
  await clock.advance(500);
  stop();
  await ended;
  expect([...store.keys.keys()]).toEqual([]);
  expect(news().at(-1)).toBe('info key removed: shutting down');
});

test('a shutdown while etcd is away ends all the same, and says when the key goes', async () => {
  await using watchdog = watching();
  const { clock, store, ended, news, stop } = watchdog;
  await clock.advance(500);
  store.beforeAnswer = away;
  stop();
  await ended;
  expect(news().at(-1)).toBe('warn key not removed: it goes with its lease');
});

test('a backend that begins to fail while another holds its key does not claim to be registered', async () => {
  await using watchdog = watching();
  const { clock, store, apache, status, state } = watchdog;
  store.put(key, '127.0.0.1:9999', 'theirs');
  store.othersMs.set('theirs', 4000);
  await clock.advance(500);
  expect(status()).toMatchObject({ course: { health: { state: 'up' } }, isRegistered: false });
  apache.answer = () => refused;
  await clock.advance(800);
  expect(state()).toBe('failing');
  expect(status()?.isRegistered).toBe(false);
});
