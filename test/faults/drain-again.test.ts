/** A key that is drained and held anew by another watchdog meanwhile: it stays that one's. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { parseRecord, recordKey } from '../../src/registry/record.ts';
import { startDrainedSite, stopped, untilReady, untilStage } from '../support/drained-site.ts';
import { openEtcdClient } from '../support/etcd-client.ts';

test('the first watchdog ends, and neither its end nor its lease takes the key of the second', async () => {
  await using site = await startDrainedSite();
  using client = openEtcdClient(inject('etcdUrl'));
  const front = await site.addFront({ ttl: '20s' });
  await site.addMember('stays');
  const { backend, watchdog: first } = await site.addMember('again');
  await using asking = site.askAllAlong(front);
  await front.balancer.freeze();
  const ends = stopped(first);
  await untilStage(first, 'waiting');

  const second = await site.watch(backend);
  const { code, last } = await ends;
  expect([code, last.msg]).toEqual([0, 'nothing to drain: the key is not ours']);
  const held = (await site.keys.read('again')) ?? expect.unreachable();
  expect(held.value.toString()).toBe(backend.address);
  const { instance } = await second.status();
  const text = await client.etcd.get(recordKey(site.recordPrefix, site.keys.key('again'))).string();
  const record = parseRecord(text ?? '');
  expect(record).toMatchObject({ ok: true, value: { instance, state: 'up', drain: null } });

  front.balancer.resume();
  await untilReady(second);
  // Longer than any lease of the first one could have lasted.
  await sleep(4500);
  const still = await site.keys.read('again');
  expect([still?.mod_revision, still?.lease]).toEqual([held.mod_revision, held.lease]);
  const history = (await site.keys.history()).filter(({ name }) => name === 'again');
  expect(history.map(({ kind }) => kind)).toEqual(['put', 'delete', 'put']);
  const since = performance.now();
  await asking.ask(20);
  expect(asking.reachedSince(backend, since).length).toBeGreaterThan(0);
  expect(asking.failures()).toEqual([]);
}, 60_000);
