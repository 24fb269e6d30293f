/**
 * What the mirror makes of what happened while it was cut off from etcd: compaction, a wipe, a
 * restored backup, and a permission that comes and goes.
 */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { readCredentials } from '../../src/registry/etcd/credentials.ts';
import { relistMs } from '../../src/registry/mirror.ts';
import { type EtcdWriter, openEtcdWriter } from '../support/etcd-writer.ts';
import { hastyClock } from '../support/hasty-clock.ts';
import { mirrored } from '../support/mirrored.ts';
import { grant, login, startSecuredEtcd } from '../support/secured-etcd.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const prefix = '/test';
const key = (n: number) => `${prefix}/apache-${n}`;
const stallMs = 1500;
/** One try on a connection that died unnoticed, and then the next listing. */
const healedWithinMs = 2000 + relistMs.most + 2000 + stallMs;

/** Five keys, listed by a mirror that the proxy can cut off. */
async function open(clock = systemClock) {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  const dataDir = join(directory.path, 'data');
  const etcd = stack.use(await startEtcd({ dataDir }));
  const proxy = stack.use(await startTcpProxy(etcd.url));
  const writer = stack.use(openEtcdWriter([etcd.url]));
  for (let n = 0; n < 5; n += 1) await writer.write([key(n), `127.0.0.1:${n}`]);
  const mirror = stack.use(mirrored([proxy.url], prefix, { clock }));
  await mirror.agrees(writer);
  const owned = stack.move();
  return {
    ...{ etcd, proxy, writer, mirror, dataDir, backup: join(directory.path, 'backup') },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function writeElsewhere(writer: EtcdWriter, times: number) {
  for (let n = 0; n < times; n += 1) await writer.write(['/elsewhere', `${n}`]);
}

test.concurrent('compacted while it was away, with nothing below the prefix changed: the next session begins after it', async () => {
  await using world = await open();
  const { proxy, writer, mirror } = world;
  proxy.cut();
  proxy.reset();
  await waitUntil({ expected: 'no session', withinMs: 5000 }, () => !mirror.view().connected || '');
  await writeElsewhere(writer, 50);
  await writer.compact();
  proxy.heal();
  await mirror.agrees(writer);
  // And its watch is one that tells, rather than one that was refused.
  const { listedAtMs } = mirror.view();
  await writer.write([key(6), '127.0.0.1:6']);
  await waitUntil({ expected: 'the key', withinMs: 1000 }, () => key(6) in mirror.copy() || 'no');
  expect(mirror.view().snapshot).toMatchObject({ epoch: 0, missed: 0 });
  expect(mirror.view().listedAtMs).toBe(listedAtMs);
  expect(mirror.troubles.join()).not.toContain('compacted');
}, 30_000);

test.concurrent('a black hole: the copy stands and its age tells; once healed, it is right by the next listing', async () => {
  await using world = await open();
  const { proxy, writer, mirror } = world;
  const { listedAtMs } = mirror.view();
  proxy.cut();
  await writer.write([key(0), undefined], [key(6), '127.0.0.1:6']);
  await waitUntil(
    { expected: 'no session any more', withinMs: 15_000 },
    () => !mirror.view().connected || 'it says that it has one',
  );
  expect(Object.keys(mirror.copy())).toHaveLength(5);
  expect(systemClock.now() - (mirror.view().listedAtMs ?? 0)).toBeGreaterThan(relistMs.least);
  expect(mirror.view().listedAtMs).toBeGreaterThanOrEqual(listedAtMs ?? 0);
  proxy.heal();
  await mirror.agrees(writer, healedWithinMs);
  expect(mirror.view().snapshot).toMatchObject({ epoch: 0 });
}, 40_000);

test.concurrent('what a black hole swallowed and a listing repaired is counted as missed', async () => {
  // Two listings, before the connection of the watch is found dead, after 5 s and more.
  await using world = await open(hastyClock);
  const { proxy, writer, mirror } = world;
  proxy.cut();
  await writer.write([key(0), undefined], [key(6), '127.0.0.1:6']);
  proxy.heal();
  await waitUntil({ expected: 'two missed', withinMs: healedWithinMs + relistMs.most }, () => {
    const { snapshot, connected, trouble } = mirror.view();
    return snapshot?.missed === 2 || `${snapshot?.missed}, ${connected}, ${trouble}`;
  });
  await mirror.agrees(writer);
  // By a watch of another session, which tells.
  await writer.write([key(7), '127.0.0.1:7']);
  await waitUntil({ expected: 'the key', withinMs: 1000 }, () => key(7) in mirror.copy() || 'no');
  expect(mirror.view().snapshot?.missed).toBe(2);
}, 40_000);

test.concurrent.each([
  ['the same keys', [0, 1, 2, 3, 4], 'other'],
  ['other keys', [5, 6, 7], 'other'],
  ['the same keys at the same revisions, with other values', [0, 1, 2, 3, 4], 'same'],
] as const)(
  'wiped and grown past its old revision unseen, with %s: another store',
  async (_what, names, when) => {
    await using world = await open();
    const { etcd, proxy, writer, mirror } = world;
    const known = mirror.view().snapshot?.revision ?? 0;
    proxy.cut();
    await etcd.kill();
    await etcd.wipe();
    await etcd.start();
    if (when === 'other') await writeElsewhere(writer, 1);
    for (const n of names) await writer.write([key(n), `127.0.0.2:${n}`]);
    await writeElsewhere(writer, 20);
    expect(await writer.compact()).toBeGreaterThan(known);
    proxy.heal();
    await mirror.agrees(writer, healedWithinMs);
    expect(mirror.view().snapshot?.epoch).toBe(1);
  },
  30_000,
);

test.concurrent('a backup is restored and grows past what was lost, unseen: another store', async () => {
  await using world = await open();
  const { etcd, proxy, writer, mirror, dataDir, backup } = world;
  await etcd.stop();
  await cp(dataDir, backup, { recursive: true });
  await etcd.start();
  await writer.write([key(0), undefined]);
  await writer.write([key(5), '127.0.0.1:5']);
  await mirror.agrees(writer);
  expect(mirror.view().snapshot?.epoch).toBe(0);

  proxy.cut();
  await etcd.kill();
  await rm(dataDir, { recursive: true });
  await cp(backup, dataDir, { recursive: true });
  await etcd.start();
  await writeElsewhere(writer, 20);
  proxy.heal();
  await mirror.agrees(writer, healedWithinMs);
  expect(mirror.copy()).toMatchObject({ [key(0)]: '127.0.0.1:0' });
  expect(mirror.view().snapshot?.epoch).toBe(1);
}, 30_000);

test.concurrent('refused for want of a permission, allowed, refused again: the copy stands, the reason says what is missing', async () => {
  await using secured = await startSecuredEtcd();
  const { etcd, admin, files } = secured;
  const read = await readCredentials(files);
  if (!read.ok) return expect.unreachable(read.reason);
  const outside = '/outside';
  await admin.put(`${outside}/apache-1`).value('127.0.0.1:1');
  await using mirror = mirrored([etcd.url], outside, {
    access: { files, credentials: read.value },
  });
  const list = async () => admin.getAll().prefix(`${outside}/`).strings();
  const refused = (what: string) =>
    `etcd ${what} at ${etcd.url}: permission denied: user ${login.user} needs to read ${outside}/`;
  await waitUntil(
    { expected: 'a refusal', withinMs: 5000 },
    () => mirror.troubles.at(-1) === refused('list') || mirror.troubles.join(),
  );
  expect(mirror.view().snapshot).toBeUndefined();
  await grant(admin.auth, `${outside}/`);
  await mirror.agrees({ list });

  await admin.auth.roleRevokePermission({
    ...{ role: 'sidecar', key: Buffer.from(`${outside}/`), range_end: Buffer.from(`${outside}0`) },
  });
  await waitUntil(
    { expected: 'a refusal', withinMs: 2 * relistMs.most + stallMs },
    () => mirror.view().trouble === refused('list') || `${mirror.view().trouble}`,
  );
  expect(Object.keys(mirror.copy())).toHaveLength(1);
  await grant(admin.auth, `${outside}/`);
  await admin.put(`${outside}/apache-2`).value('127.0.0.1:2');
  await mirror.agrees({ list });
}, 60_000);
