/** A real etcd with TLS, users and tokens that end, through both stores. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import { expect, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { shortCall } from '../../src/registry/etcd/endpoints.ts';
import { lookEveryMs } from '../../src/registry/etcd/rotation.ts';
import { key, openStores, reasonOf, tells, unhurried, watched } from '../support/etcd-stores.ts';
import { enableUsers, grant, login, startSecuredEtcd } from '../support/secured-etcd.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const stallMs = 1500;
const put = (leaseId: string, value: string, at = key) =>
  ({ kind: 'put', key: at, value, leaseId }) as const;

test('tokens end while a key is held: calls, renewals and new watches go on without a failure', async () => {
  await using secured = await startSecuredEtcd({ jwtTtl: '2s' });
  await using store = await openStores(secured.etcd.url, secured.files);
  const { leaseId, ttlMs } = await store.leases.grantLease(5000, unhurried);
  await store.leases.change([], [put(leaseId, '127.0.0.1:1')], unhurried);
  for (let round = 0; round < 3; round += 1) {
    // The token has ended, and the first to use it is, in turn, each kind of call.
    await sleep(2500);
    if (round === 0) {
      await using watch = watched(store);
      await tells(store, watch.told);
      expect(watch.told.ended).toBe('');
      await store.leases.change([], [put(leaseId, '127.0.0.1:1')], unhurried);
    }
    if (round === 1)
      expect(await store.leases.readKeys([key], unhurried)).toMatchObject([{ leaseId }]);
    expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);
    expect((await store.keys.list('/test', unhurried)).keys).toMatchObject([{ key, leaseId }]);
  }
  expect(store.events).toEqual([]);
});

test('etcd restarts and knows no token any more, a role changes: the next call has a new one', async () => {
  await using secured = await startSecuredEtcd();
  const { etcd, admin } = secured;
  await using store = await openStores(etcd.url, secured.files);
  const { leaseId, ttlMs } = await store.leases.grantLease(60_000, unhurried);
  await store.leases.change([], [put(leaseId, '127.0.0.1:1')], unhurried);
  await etcd.stop();
  await etcd.start();
  expect(await store.leases.readKeys([key], unhurried)).toMatchObject([{ leaseId }]);
  expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);

  await etcd.stop();
  await etcd.start();
  await using watch = watched(store);
  await tells(store, watch.told);
  expect(watch.told.ended).toBe('');

  await admin.auth.roleAdd({ name: 'another' });
  expect(await store.leases.readKeys([key], unhurried)).toHaveLength(1);
});

test('a permission is missing: the reason names it, and once it is granted the same store goes on', async () => {
  await using secured = await startSecuredEtcd();
  await using store = await openStores(secured.etcd.url, secured.files);
  const outside = '/outside/apache-8001';
  const { leaseId } = await store.leases.grantLease(60_000, unhurried);
  const write = () => store.leases.change([], [put(leaseId, 'x', outside)], unhurried);
  const denied = (what: string, needs: string) =>
    `etcd ${what} at ${secured.etcd.url}: permission denied: user ${login.user} needs to ${needs}`;
  expect(await reasonOf(write())).toBe(denied('write', `read and write ${outside}`));
  expect(await reasonOf(store.leases.readKeys([key, outside], unhurried))).toBe(
    denied('read', `read ${key} and ${outside}`),
  );
  expect(await reasonOf(store.leases.watchPlaces([{ key: outside }], () => {}, unhurried))).toBe(
    denied('watch', `read ${outside}`),
  );
  const handlers = { onReady: () => {}, onEvents: () => {} };
  expect(await reasonOf(store.keys.watch('/outside', 1, handlers, unhurried))).toBe(
    denied('watch', 'read /outside/'),
  );
  // A watch that was refused must not stand in the way of one that is allowed.
  await using watch = watched(store);
  await tells(store, watch.told);
  await grant(secured.admin.auth, '/outside/');
  const [written, [stored]] = [await write(), await store.leases.readKeys([outside], unhurried)];
  expect(written).toBe(stored?.modRevision);
});

test('a wrong password: the reason, no storm of authentications, and the mended file is used', async () => {
  await using secured = await startSecuredEtcd();
  await writeFile(secured.files.password, 'wrong');
  await using store = await openStores(secured.etcd.url, secured.files);
  const grantOne = () => store.leases.grantLease(5000, unhurried);
  const startedAt = performance.now();
  for (let n = 0; n < 50; n += 1) {
    expect(await reasonOf(grantOne())).toMatch(
      /authentication failed, invalid user ID or password/,
    );
  }
  // Only the first of them asked: etcd takes 40 ms and more for each.
  expect(performance.now() - startedAt).toBeLessThan(stallMs);
  expect(store.events).toEqual([
    {
      ...{ kind: 'authentication-failed', user: login.user },
      reason: 'authentication failed, invalid user ID or password',
    },
  ]);
  expect(JSON.stringify(store.events)).not.toContain('wrong');
  await writeFile(secured.files.password, login.password);
  await waitUntil({ expected: 'a lease', withinMs: 2 * lookEveryMs + stallMs }, () =>
    grantOne().then(() => true as const, messageOf),
  );
  expect(store.kinds()).toEqual(['authentication-failed', 'credentials-changed', 'authenticated']);
});

test('etcd begins to ask for a user under way: who has one goes on, who has none is told', async () => {
  await using etcd = await startEtcd();
  await using directory = await temporaryDirectory();
  const [user, password] = ['user', 'password'].map((name) => join(directory.path, name));
  if (!user || !password) return expect.unreachable();
  await writeFile(user, login.user);
  await writeFile(password, login.password);
  await using store = await openStores(etcd.url, { user, password });
  await using nobody = await openStores(etcd.url);
  const { leaseId, ttlMs } = await store.leases.grantLease(60_000, unhurried);
  await store.leases.change([], [put(leaseId, '127.0.0.1:1')], unhurried);
  expect(store.kinds()).toEqual(['password-in-clear', 'authentication-off']);

  await enableUsers(new Etcd3({ hosts: etcd.url }));
  expect(await store.leases.readKeys([key], unhurried)).toMatchObject([{ leaseId }]);
  expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);
  expect(store.kinds()).toEqual(['password-in-clear', 'authentication-off']);
  expect(await reasonOf(nobody.leases.readKeys([key], unhurried))).toBe(
    `etcd read at ${etcd.url}: user name is empty: etcd asks for a user and a password`,
  );
});

test('frozen, with TLS and a token to be had first: calls end within their budget', async () => {
  await using secured = await startSecuredEtcd({ jwtTtl: '1s' });
  await using store = await openStores(secured.etcd.url, secured.files);
  const { leaseId } = await store.leases.grantLease(60_000, unhurried);
  await sleep(1200);
  await secured.etcd.freeze();
  await using fresh = await openStores(secured.etcd.url, secured.files);
  for (const { leases } of [store, fresh]) {
    for (const call of [
      () => leases.renewLease(leaseId, unhurried),
      () => leases.readKeys([key], unhurried),
      () => leases.change([], [put(leaseId, 'x')], unhurried),
    ]) {
      const startedAt = performance.now();
      expect(await reasonOf(call())).toMatch(/no answer within|no TLS handshake within/);
      expect(performance.now() - startedAt).toBeLessThan(shortCall.budgetMs + 500);
    }
  }
  secured.etcd.resume();
  expect(await store.leases.renewLease(leaseId, unhurried)).toBe(60_000);
}, 30_000);
