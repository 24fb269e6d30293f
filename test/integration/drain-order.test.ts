/**
 * An order to drain, put into etcd by hand: while it stands the backend is kept out, by whichever
 * watchdog; once it is gone the backend is in rotation again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import {
  type DrainedSite,
  quick,
  readiness,
  startDrainedSite,
  stopped,
  untilKey,
  untilReady,
  untilStage,
  untilTold,
} from '../support/drained-site.ts';
import { openEtcdClient } from '../support/etcd-client.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { startWatchdog } from '../../scripts/parts/rollcall.ts';

/** As `etcdctl put` and `etcdctl del` would. */
function byHand(site: DrainedSite, name: string) {
  const client = openEtcdClient(inject('etcdUrl'));
  const key = site.orderKey(name);
  return {
    order: async (value: string) => void (await client.etcd.put(key).value(value)),
    takeBack: async () => void (await client.etcd.delete().key(key)),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

const drainedText = /^503 draining: ordered by an operator, over \(confirmed\)$/;

test('ordered by hand: drained and still probed; it outlives a restart; taken back: in rotation again', async () => {
  await using site = await startDrainedSite();
  using hand = byHand(site, 'goes');
  const front = await site.addFront();
  await site.addMember('stays');
  const { backend, watchdog } = await site.addMember('goes');
  await using client = site.askAllAlong(front);
  await client.ask(20);
  expect(client.reachedSince(backend, 0).length).toBeGreaterThan(0);

  await hand.order('please');
  await untilStage(watchdog, 'over');
  const drainedMs = performance.now();
  expect(await site.keys.read('goes')).toBeUndefined();
  expect(await readiness(watchdog)).toMatch(drainedText);
  const { drain, registered, inRotation, state } = await watchdog.status();
  expect(drain).toMatchObject({ by: 'operator', end: 'confirmed', confirmed: [front.who] });
  expect([registered, inRotation, state]).toEqual([false, false, 'up']);
  const probes = backend.probes;
  await sleep(1500);
  expect(backend.probes).toBeGreaterThan(probes + 3);
  expect(client.reachedSince(backend, drainedMs)).toEqual([]);

  // Nothing is there to wait for: it ends without a word to the balancers.
  expect((await stopped(watchdog)).code).toBe(0);
  await watchdog.start();
  await untilStage(watchdog, 'over');
  await sleep(1000);
  expect(await readiness(watchdog)).toMatch(drainedText);
  const kinds = (await site.keys.history()).filter(({ name }) => name === 'goes');
  expect(kinds.map(({ kind }) => kind)).toEqual(['put', 'delete']);
  expect(client.reachedSince(backend, drainedMs)).toEqual([]);

  const takenBackMs = performance.now();
  await hand.takeBack();
  await untilReady(watchdog);
  await untilTold(watchdog, 'no longer drained: the order is gone');
  await client.ask(30);
  expect(client.reachedSince(backend, takenBackMs).length).toBeGreaterThan(0);
  expect(client.failures()).toEqual([]);
}, 60_000);

test('a watchdog that starts under an order never holds the key', async () => {
  await using site = await startDrainedSite();
  using hand = byHand(site, 'new');
  const front = await site.addFront();
  await site.addMember('stays');
  await hand.order('{"by":"ops@example","reason":"new disk"}');
  const backend = await site.addBackend('new');
  const watchdog = await site.watch(backend);
  await untilStage(watchdog, 'over');
  expect((await watchdog.status()).state).toBe('up');
  expect((await site.keys.history()).filter(({ name }) => name === 'new')).toEqual([]);
  const { backends } = await untilConfirmed(front.balancer, 'one backend', () => true);
  const inPool = backends.filter(({ state }) => state === 'in pool');
  expect(inPool.map(({ key }) => key)).toEqual([site.keys.key('stays')]);
  await hand.takeBack();
  await untilReady(watchdog);
}, 40_000);

test('an apache that fails under an order: down once the order is gone, and not in rotation', async () => {
  await using site = await startDrainedSite();
  using hand = byHand(site, 'apache');
  await site.addFront();
  await site.addMember('stays');
  await using apache = await startApache();
  await using watchdog = await startWatchdog({
    ...{ ...quick, etcd: inject('etcdUrl'), key: site.keys.key('apache') },
    ...{ address: apache.address, 'record-prefix': site.recordPrefix },
  });
  await untilReady(watchdog);
  await hand.order('');
  await untilStage(watchdog, 'over');
  await apache.failing(true);
  await waitUntil({ expected: 'an apache that is down', withinMs: 5000 }, async () => {
    const { state, drain } = await watchdog.status();
    return (state === 'down' && drain?.by === 'operator') || state;
  });
  await hand.takeBack();
  await untilTold(watchdog, 'no longer drained: the order is gone');
  await sleep(1000);
  expect(await readiness(watchdog)).toBe('503 not held: down');
  await untilKey(site, 'apache', 'gone');
  await apache.failing(false);
  await untilReady(watchdog);
}, 40_000);
