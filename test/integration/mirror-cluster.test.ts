/** The mirror on three real members: a quorum that is lost, a leader that is killed or frozen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Etcd } from '../../scripts/parts/etcd.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { relistMs } from '../../src/registry/mirror.ts';
import { startEtcdCluster } from '../support/etcd-cluster.ts';
import { openStores, tells, watched } from '../support/etcd-stores.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { mirrored } from '../support/mirrored.ts';

const prefix = '/test';
const key = (n: number) => `${prefix}/apache-${n}`;
/** Three election timeouts of a second, and a look every 300 ms or so. */
const noLeaderMs = 4000;
const stallMs = 1500;

const urlsOf = (members: readonly Etcd[]) => members.map(({ url }) => url);

test('a member that lost its quorum ends its watches with the reason', async () => {
  await using cluster = await startEtcdCluster();
  const [leader, survivor, other] = await cluster.leaderFirst();
  if (!survivor || !other) return expect.unreachable();
  await using store = await openStores(survivor.url);
  await using watch = watched(store);
  await tells(store, watch.told);
  await Promise.all([leader.freeze(), other.freeze()]);
  await waitUntil(
    { expected: 'the end of the watch', withinMs: noLeaderMs + stallMs },
    () => watch.told.ended !== '' || 'it goes on',
  );
  expect(watch.told.ended).toBe(`etcd watch at ${survivor.url}: no leader`);
  // Nor does it begin one.
  await using another = watched(store);
  await waitUntil(
    { expected: 'a refusal', withinMs: stallMs },
    () => another.told.ended === watch.told.ended || another.told.ended,
  );
  leader.resume();
  other.resume();
  // That the survivor has a leader again, only the survivor can tell.
  await using etcd = openEtcdWriter([survivor.url]);
  await etcd.write([key(1), '127.0.0.1:1']);
  await using after = watched(store);
  await tells(store, after.told);
}, 60_000);

test('the quorum is killed: the copy stands, its session ends; when it is back, so is the mirror', async () => {
  await using cluster = await startEtcdCluster();
  const [leader, survivor, other] = await cluster.leaderFirst();
  if (!survivor || !other) return expect.unreachable();
  await using etcd = openEtcdWriter([survivor.url]);
  await using mirror = mirrored([survivor.url], prefix);
  for (let n = 0; n < 5; n += 1) await etcd.write([key(n), `127.0.0.1:${n}`]);
  await mirror.agrees(etcd);
  await Promise.all([leader.kill(), other.kill()]);
  await waitUntil(
    { expected: 'no session', withinMs: noLeaderMs + stallMs },
    () => !mirror.view().connected || 'it says that it has one',
  );
  expect(mirror.troubles[0]).toBe(`etcd watch at ${survivor.url}: no leader`);
  await sleep(1000);
  expect(Object.keys(mirror.copy())).toHaveLength(5);

  await Promise.all([leader.start(), other.start()]);
  await etcd.write([key(0), undefined]);
  await etcd.write([key(5), '127.0.0.1:5']);
  await mirror.agrees(etcd);
  expect(mirror.view().snapshot).toMatchObject({ epoch: 0, missed: 0 });
}, 60_000);

test.each(['killed', 'frozen'])(
  'the leader is %s: the mirror goes on through the others',
  async (how) => {
    await using cluster = await startEtcdCluster();
    const [leader, ...others] = await cluster.leaderFirst();
    await using etcd = openEtcdWriter(urlsOf(others));
    // The mirror's own endpoint is the one that goes.
    await using mirror = mirrored(urlsOf([leader, ...others]), prefix);
    await etcd.write([key(1), '127.0.0.1:1']);
    await mirror.agrees(etcd);
    if (how === 'killed') await leader.kill();
    else await leader.freeze();
    await etcd.write([key(2), '127.0.0.1:2']);
    // At the latest by the listing after this one, on the next endpoint.
    await mirror.agrees(etcd, relistMs.most + 4000 + stallMs);
    expect(mirror.view().snapshot).toMatchObject({ epoch: 0 });
  },
  60_000,
);
