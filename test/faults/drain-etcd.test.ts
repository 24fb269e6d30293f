/**
 * A drain on an etcd that fails meanwhile: it ends when the etcd that there is then knows that every
 * balancer has confirmed it, and not before.
 */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import type { Flags } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import {
  confirmedText,
  startDrainedSite,
  stopped,
  untilKey,
  untilMissing,
  untilReady,
  untilStage,
} from '../support/drained-site.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { startEtcdCluster } from '../support/etcd-cluster.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** So that a balancer that is frozen for a while stays alive. */
const patient = { ttl: '20s' };

/** Longer than a watchdog waits where no balancer is known. */
const longerThanGraceMs = 4000;

test('the leader of three is lost: the drain ends confirmed', async () => {
  await using cluster = await startEtcdCluster();
  const [leader, ...others] = await cluster.leaderFirst();
  await using site = await startDrainedSite([...others, leader].map(({ url }) => url).join());
  const front = await site.addFront(patient);
  const stays = await site.addMember('stays', { ttl: '10s' });
  const { backend, watchdog } = await site.addMember('goes', { ttl: '10s' });
  await using client = site.askAllAlong(front);
  await front.balancer.freeze();
  const ends = stopped(watchdog);
  await untilStage(watchdog, 'waiting');
  await leader.kill();
  front.balancer.resume();
  const { code, last, confirmed, endedMs } = await ends;
  expect([code, last.msg]).toEqual([0, confirmedText]);
  expect(confirmed).toEqual([front.who]);
  await client.ask(50);
  expect(client.reachedSince(backend, endedMs)).toEqual([]);
  expect(client.reachedSince(stays.backend, endedMs).length).toBeGreaterThan(0);
  expect(client.failures()).toEqual([]);
}, 60_000);

test('etcd is restored to a time before the drain: the key goes again, and is confirmed in the new store', async () => {
  await using world = await startAway();
  const { etcd, site, front, goes, data } = world;
  // What was when the backup was made has fewer revisions than any time since.
  await etcd.stop();
  await cp(data.now, data.backup, { recursive: true });
  await etcd.start();
  await using writer = openEtcdWriter([etcd.url]);
  for (let n = 0; n < 200; n += 1) await writer.write([`/elsewhere/${n}`, `${n}`]);
  await untilReady(goes.watchdog);

  await front.balancer.freeze();
  const ends = stopped(goes.watchdog);
  await untilStage(goes.watchdog, 'waiting');
  const before = (await goes.watchdog.status()).drain?.revision ?? expect.unreachable();
  await etcd.stop();
  await rm(data.now, { recursive: true });
  await cp(data.backup, data.now, { recursive: true });
  await etcd.start();
  await waitUntil({ expected: 'the key gone at a lower revision', withinMs: 10_000 }, async () => {
    const { revision } = (await goes.watchdog.status()).drain ?? {};
    return (typeof revision === 'number' && revision < before) || `${revision}`;
  });
  await untilKey(site, 'goes', 'gone');
  expect(await Promise.race([ends, sleep(longerThanGraceMs, 'still running')])).toBe(
    'still running',
  );
  front.balancer.resume();
  await isConfirmed(world, ends);
}, 90_000);

test('etcd is wiped: who had confirmed confirms anew, and is not taken for gone', async () => {
  await using world = await startAway({ 'drain-until': 'finished' });
  const { etcd, site, front, goes } = world;
  await using writer = openEtcdWriter([etcd.url]);
  for (let n = 0; n < 200; n += 1) await writer.write([`/elsewhere/${n}`, `${n}`]);
  const { answered } = await goes.backend.hold(front.site.url);
  const ends = stopped(goes.watchdog);
  const busy = `${front.who}: older generations of its nginx still live`;
  await untilMissing(goes.watchdog, busy);
  await etcd.stop();
  await etcd.wipe();
  await etcd.start();
  await untilKey(site, 'stays', 'there');
  expect(await Promise.race([ends, sleep(longerThanGraceMs, 'still running')])).toBe(
    'still running',
  );
  await untilMissing(goes.watchdog, busy);
  expect((await goes.watchdog.status()).drain?.revision).toBeLessThan(200);
  goes.backend.release();
  await answered;
  await isConfirmed(world, ends);
}, 90_000);

/** An etcd of its own, whose data can be put away. */
async function startAway(flags: Flags = {}) {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const data = { now: join(directory.path, 'now'), backup: join(directory.path, 'backup') };
  const etcd = stack.use(await startEtcd({ dataDir: data.now }));
  const site = stack.use(await startDrainedSite(etcd.url));
  const front = await site.addFront(patient);
  const stays = await site.addMember('stays', { ttl: '10s' });
  const goes = await site.addMember('goes', { ttl: '10s', ...flags });
  const owned = stack.move();
  return {
    ...{ etcd, site, front, stays, goes, data },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function isConfirmed(
  { site, front, goes }: Awaited<ReturnType<typeof startAway>>,
  ends: ReturnType<typeof stopped>,
) {
  await using client = site.askAllAlong(front);
  const { code, last, confirmed, endedMs } = await ends;
  expect([code, last.msg]).toEqual([0, confirmedText]);
  expect(confirmed).toEqual([front.who]);
  await client.ask(50);
  expect(client.reachedSince(goes.backend, endedMs)).toEqual([]);
}
