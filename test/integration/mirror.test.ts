/** The mirror on a real etcd that is restarted, compacted and wiped under it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { mirrored } from '../support/mirrored.ts';

const prefix = '/test';
const key = (n: number) => `${prefix}/apache-${n}`;

async function open() {
  await using stack = new AsyncDisposableStack();
  const etcd = stack.use(await startEtcd());
  const writer = stack.use(openEtcdWriter([etcd.url]));
  const mirror = stack.use(mirrored([etcd.url], prefix));
  const owned = stack.move();
  return { etcd, writer, mirror, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test('puts and deletes through restarts and a compaction end in the same map as etcd', async () => {
  await using world = await open();
  const { etcd, writer, mirror } = world;
  for (let round = 0; round < 4; round += 1) {
    for (let n = 0; n < 20; n += 1) {
      const at = (n * 7 + round * 3) % 12;
      const value = (n + round) % 3 === 0 ? undefined : `127.0.0.1:${8000 + n + round}`;
      await writer.write([key(at), value]);
    }
    await mirror.agrees(writer);
    // What happens now may be compacted away before the mirror is back.
    await etcd.stop();
    await etcd.start();
    await writer.write([key(round), '127.0.0.1:1']);
    await writer.write([key(round + 1), undefined]);
    await writer.compact();
    await mirror.agrees(writer);
  }
  expect(mirror.view().snapshot).toMatchObject({ epoch: 0, missed: 0 });
}, 60_000);

test('the copy stands while etcd is away, and a wiped etcd is known as another one', async () => {
  await using world = await open();
  const { etcd, writer, mirror } = world;
  for (let n = 0; n < 5; n += 1) await writer.write([key(n), '127.0.0.1:1']);
  await mirror.agrees(writer);
  await etcd.stop();
  const { view } = mirror;
  await waitUntil({ expected: 'trouble', withinMs: 5000 }, () => !view().connected || 'none');
  await sleep(1000);
  expect(view().snapshot?.keys.size).toBe(5);
  expect(view().trouble).toBeTruthy();

  await etcd.wipe();
  await etcd.start();
  await mirror.agrees(writer);
  expect(view().snapshot?.epoch).toBe(1);
}, 60_000);

test('another prefix that begins alike is not part of it', async () => {
  await using world = await open();
  const { writer, mirror } = world;
  await writer.write([`${prefix}-other/apache-1`, '127.0.0.1:1']);
  await writer.write([key(1), '127.0.0.1:1']);
  await mirror.agrees(writer);
  expect(mirror.copy()).toEqual({ [key(1)]: '127.0.0.1:1' });
}, 60_000);

test('more keys than a page holds, and a relist that changes nothing leaves every key the same object', async () => {
  await using world = await open();
  const { writer, mirror } = world;
  const names = Array.from({ length: 2500 }, (_, n) => key(n));
  for (let n = 0; n < names.length; n += 100) {
    const some = names.slice(n, n + 100);
    await writer.write(...some.map((name) => [name, '127.0.0.1:1'] as const));
  }
  await mirror.agrees(writer);
  const before = mirror.view();
  await waitUntil({ expected: 'another listing', withinMs: 10_000 }, () => {
    return mirror.view().listedAtMs !== before.listedAtMs || 'none yet';
  });
  expect(mirror.view().snapshot?.keys.size).toBe(names.length);
  expect(mirror.view().snapshot?.keys).toBe(before.snapshot?.keys);
}, 60_000);
