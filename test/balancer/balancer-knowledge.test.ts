import { afterEach, expect, test } from 'vitest';
import type { Remembered } from '../../src/balancer/pool/census.ts';
import { recordKey } from '../../src/registry/record.ts';
import { balancing, stopBalancing } from '../support/balancing.ts';
import { backend, recordOf } from '../support/builders.ts';

afterEach(stopBalancing);

test('etcd away: the last good pool stands, without a reload', async () => {
  const { clock, store, world, put } = balancing();
  put('a', 8001);
  await clock.advance(1000);
  const { reloads } = world;
  store.away = true;
  store.cut('connection refused');
  await clock.advance(600_000);
  expect(world).toMatchObject({ served: 'a', reloads });
});

test('etcd wiped: its backends are held while they answer, and go after the hold', async () => {
  const { clock, store, world, put } = balancing();
  put('a', 8001);
  put('b', 8002);
  await clock.advance(1000);
  store.wipe();
  await clock.advance(5000);
  expect(world.served).toBe('a');
  await clock.advance(15_000);
  expect(world.served).toBe('nobody');
});

/** The last good pool as it was kept on disk. */
const kept = (...names: readonly string[]): readonly Remembered[] => [
  {
    ...{ clusterId: 'one', revision: 1 },
    backends: names.map((name, n) => backend(name, 8001 + n)),
  },
];

test('a cold start without etcd: what was kept on disk is served, and etcd wins later', async () => {
  const { clock, store, world, put, turns } = balancing({
    away: true,
    remembered: kept('a', 'b'),
  });
  await clock.advance(3000);
  expect(world.served).toBe('ab');
  expect(turns.at(-1)?.censuses[0]?.source).toBe('disk');
  put('a', 8001);
  put('c', 8003);
  store.away = false;
  await clock.advance(5000);
  expect(world.served).toBe('ac');
});

test('a start after the keys went: what is missing of the kept pool is held', async () => {
  const { clock, world } = balancing({ remembered: kept('a', 'b', 'c') });
  await clock.advance(3000);
  // The one at port 8002 does not answer when it is asked directly.
  expect(world.served).toBe('ac');
  await clock.advance(20_000);
  expect(world.served).toBe('nobody');
});

test('a start with etcd: its first word comes before what was kept', async () => {
  const { clock, world, put, turns } = balancing({ remembered: kept('a') });
  put('b', 8002);
  await clock.advance(1500);
  expect(turns.every(({ target }) => target?.rendered.generation !== 'a')).toBe(true);
  expect(world.served).toBe('b');
});

test('all proven down by their watchdogs: nobody is held', async () => {
  const { clock, store, world, put } = balancing();
  for (const [n, name] of ['a', 'b', 'c'].entries()) put(name, 8001 + n);
  await clock.advance(2000);
  expect(world.served).toBe('abc');
  for (const name of ['a', 'b', 'c']) {
    const key = `/test/${name}`;
    store.delete(key);
    const record = JSON.stringify(recordOf({ state: 'down' }));
    store.put(recordKey('/rollcall', key), record, '7');
  }
  await clock.advance(300);
  expect(world.served).toBe('nobody');
});

test('etcd away: a hold does not end before it has spoken again', async () => {
  const { clock, store, world, put } = balancing();
  put('a', 8001);
  put('b', 8003);
  await clock.advance(1000);
  store.wipe();
  await clock.advance(6000);
  expect(world.served).toBe('ab');
  store.away = true;
  store.cut('connection refused');
  await clock.advance(300_000);
  expect(world.served).toBe('ab');
  store.away = false;
  await clock.advance(10_000);
  expect(world.served).toBe('nobody');
});

test('thousands held at once are asked a few at a time, and none goes unasked', async () => {
  const { clock, store, world, turns, put } = balancing();
  for (let n = 0; n < 1000; n += 1) put(`apache-${n}`, 9000 + n);
  await clock.advance(1000);
  store.wipe();
  await clock.advance(9000);
  expect(world.mostAsking).toBe(64);
  const absent = [...(turns.at(-1)?.censuses[0]?.roster.absent.values() ?? [])];
  expect(absent).toHaveLength(1000);
  expect(absent.every(({ answers }) => answers)).toBe(true);
});
