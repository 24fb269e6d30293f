/** The mirror on a real etcd that is cut off, restarted and compacted under it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import { expect, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { EtcdEndpoints } from '../../src/registry/etcd/endpoints.ts';
import { etcdKeys } from '../../src/registry/etcd/keys.ts';
import { type MirrorView, nothingKnown, runMirror } from '../../src/registry/mirror.ts';

const prefix = `/mirror-${randomUUID()}`;

async function mirrored() {
  await using stack = new AsyncDisposableStack();
  const etcd = stack.use(await startEtcd());
  const endpoints = stack.use(new EtcdEndpoints([etcd.url], systemClock, Math.random));
  const client = stack.adopt(new Etcd3({ hosts: etcd.url }), (open) => open.close());
  const stop = new AbortController();
  let view: MirrorView = nothingKnown;
  const running = runMirror(
    prefix,
    {
      store: etcdKeys(endpoints, systemClock),
      clock: systemClock,
      random: Math.random,
      onChange: (latest) => (view = latest),
    },
    stop.signal,
  );
  stack.defer(async () => {
    stop.abort();
    await running;
  });
  /** Waits until the mirror holds what etcd itself lists. */
  const agrees = () =>
    waitUntil({ expected: 'a mirror equal to etcd', withinMs: 10_000 }, async () => {
      const listed = await client.getAll().prefix(`${prefix}/`).strings();
      const copy = Object.fromEntries(
        [...(view.snapshot?.keys.values() ?? [])].map(({ key, value }) => [key, value]),
      );
      const [want, have] = [listed, copy].map((map) =>
        JSON.stringify(
          Object.keys(map)
            .toSorted(byText)
            .map((name) => [name, map[name]]),
        ),
      );
      return want === have || `${have} and not ${want}`;
    });
  const owned = stack.move();
  return {
    ...{ etcd, client, agrees, view: () => view },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);
const key = (n: number) => `${prefix}/apache-${n}`;

test('puts and deletes through restarts and a compaction end in the same map as etcd', async () => {
  await using world = await mirrored();
  const { etcd, client, agrees, view } = world;
  for (let round = 0; round < 4; round += 1) {
    for (let n = 0; n < 20; n += 1) {
      const at = (n * 7 + round * 3) % 12;
      if ((n + round) % 3 === 0) await client.delete().key(key(at));
      else await client.put(key(at)).value(`127.0.0.1:${8000 + n + round}`);
    }
    await agrees();
    // What happens now is compacted away before the mirror is back: no watch could tell it.
    await etcd.stop();
    await etcd.start();
    await client.put(key(round)).value('127.0.0.1:1');
    await client.delete().key(key(round + 1));
    const { header } = await client.kv.range({ key: Buffer.from(key(0)) });
    await client.kv.compact({ revision: header.revision, physical: true });
    await agrees();
  }
  expect(view().snapshot?.epoch).toBe(0);
}, 60_000);

test('the copy stands while etcd is away, and a wiped etcd is known as another one', async () => {
  await using world = await mirrored();
  const { etcd, client, agrees, view } = world;
  for (let n = 0; n < 5; n += 1) await client.put(key(n)).value('127.0.0.1:1');
  await agrees();
  await etcd.stop();
  await waitUntil({ expected: 'trouble', withinMs: 5000 }, () => !view().connected || 'none');
  await sleep(1000);
  expect(view().snapshot?.keys.size).toBe(5);
  expect(view().trouble).toBeTruthy();

  await etcd.wipe();
  await etcd.start();
  await agrees();
  expect(view().snapshot?.epoch).toBe(1);
}, 60_000);

test('another prefix that begins alike is not part of it', async () => {
  await using world = await mirrored();
  const { client, agrees, view } = world;
  await client.put(`${prefix}-other/apache-1`).value('127.0.0.1:1');
  await client.put(key(1)).value('127.0.0.1:1');
  await agrees();
  expect([...(view().snapshot?.keys.keys() ?? [])]).toEqual([key(1)]);
}, 60_000);
