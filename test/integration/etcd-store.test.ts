/** The store on a real etcd: leases, pages, and calls that end in time whatever etcd does. */
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, inject, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { settingsTimeoutMs } from '../../src/registry/etcd/settings-guard.ts';
import { EtcdEndpoints, shortCall } from '../../src/registry/etcd/endpoints.ts';
import { etcdKeys } from '../../src/registry/etcd/keys.ts';
import { etcdLeases } from '../../src/registry/etcd/leases.ts';

const unhurried = new AbortController().signal;
/** A timer on a busy machine of two cores. */
const stallMs = 500;

function open(...urls: string[]) {
  // Begins with the first of them.
  const endpoints = new EtcdEndpoints(urls, systemClock, () => 0);
  const leases = etcdLeases(endpoints, systemClock);
  const keys = etcdKeys(endpoints, systemClock);
  return {
    ...{ leases, keys },
    [Symbol.asyncDispose]: async () => {
      leases[Symbol.dispose]();
      await endpoints[Symbol.asyncDispose]();
    },
  };
}

test('a lease is granted, renewed and revoked; one that is gone answers 0 and is no error', async () => {
  await using store = open(inject('etcdUrl'));
  const { leaseId, ttlMs } = await store.leases.grantLease(1000, unhurried);
  // etcd's floor is 1.5 times its election timeout, rounded up: more was granted than asked for.
  expect(ttlMs).toBe(2000);
  expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);
  await store.leases.revokeLease(leaseId, unhurried);
  await store.leases.revokeLease(leaseId, unhurried);
  expect(await store.leases.renewLease(leaseId, unhurried)).toBe(0);
});

test('what a lease has left is told, whoever it belongs to, and is 0 once it is gone', async () => {
  await using store = open(inject('etcdUrl'));
  const { leaseId } = await store.leases.grantLease(60_000, unhurried);
  await using other = open(inject('etcdUrl'));
  await sleep(1100);
  const remainingMs = await other.leases.leaseRemainingMs(leaseId, unhurried);
  expect(remainingMs).toBeGreaterThan(60_000 - 30_000);
  expect(remainingMs).toBeLessThan(60_000);
  await store.leases.revokeLease(leaseId, unhurried);
  expect(await other.leases.leaseRemainingMs(leaseId, unhurried)).toBe(0);
});

test('keys are written only while all of them are as they were seen, and then at one revision', async () => {
  await using store = open(inject('etcdUrl'));
  const { leases } = store;
  const [key, record] = ['apache-8001', 'record'].map((name) => `/store-${randomUUID()}/${name}`);
  if (!key || !record) return expect.unreachable();
  const { leaseId } = await leases.grantLease(60_000, unhurried);
  const put = (name: string, value: string) =>
    ({ kind: 'put', key: name, value, leaseId }) as const;
  const absent = { key, modRevision: 0 };
  const both = [put(key, '127.0.0.1:1'), put(record, '{}')];
  const written = await leases.change([absent], both, unhurried);
  expect(await leases.change([absent], [put(record, '{"late":true}')], unhurried)).toBeUndefined();

  const [seen, none, beside] = await leases.readKeys([key, `${key}-none`, record], unhurried);
  expect(none).toBeUndefined();
  expect(seen).toMatchObject({ key, value: '127.0.0.1:1', valueBytes: 11, leaseId });
  expect(beside).toMatchObject({ key: record, value: '{}', modRevision: seen?.modRevision });
  expect(written).toBe(seen?.modRevision);

  const asSeen = { key, modRevision: seen?.modRevision ?? 0 };
  const [ours, notOurs] = [leaseId, '12345'].map((id) => ({ key, leaseId: id }));
  if (!ours || !notOurs) return expect.unreachable();
  const remove = { kind: 'delete', key } as const;
  expect(await leases.change([asSeen, notOurs], [remove], unhurried)).toBeUndefined();
  const went = await leases.change([asSeen, ours], [remove, put(record, 'down')], unhurried);
  expect(await leases.readKeys([key, record], unhurried)).toMatchObject([
    undefined,
    { value: 'down', modRevision: went },
  ]);
  await leases.revokeLease(leaseId, unhurried);
  expect(await leases.readKeys([record], unhurried)).toEqual([undefined]);
});

test('a long value is kept as far as a record may be long, and its true length is told', async () => {
  await using store = open(inject('etcdUrl'));
  const key = `/store-${randomUUID()}/long`;
  const { leaseId } = await store.leases.grantLease(60_000, unhurried);
  const value = 'x'.repeat(4097);
  await store.leases.change([], [{ kind: 'put', key, value, leaseId }], unhurried);
  const [stored] = await store.leases.readKeys([key], unhurried);
  expect(stored).toMatchObject({ value: 'x'.repeat(4096), valueBytes: 4097 });
  await store.leases.revokeLease(leaseId, unhurried);
});

test('an endpoint that is away costs a try, not the call: the next one answers', async () => {
  await using store = open(`http://127.0.0.1:${await freePort()}`, inject('etcdUrl'));
  const { leaseId, ttlMs } = await store.leases.grantLease(5000, unhurried);
  expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);
  await store.leases.revokeLease(leaseId, unhurried);
});

test('a prefix of more than one page is listed whole, at one revision', async () => {
  await using store = open(inject('etcdUrl'));
  const prefix = `/store-${randomUUID()}`;
  const { leaseId } = await store.leases.grantLease(60_000, unhurried);
  const names = Array.from({ length: 1203 }, (_, n) => `${prefix}/apache-${n}`);
  for (let n = 0; n < names.length; n += 100) {
    await Promise.all(
      names
        .slice(n, n + 100)
        .map((key) =>
          store.leases.change([], [{ kind: 'put', key, value: '127.0.0.1:1', leaseId }], unhurried),
        ),
    );
  }
  const { keys } = await store.keys.list(prefix, unhurried);
  expect(keys.map(({ key }) => key)).toEqual(names.toSorted());
  await store.leases.revokeLease(leaseId, unhurried);
});

test('etcd frozen: every call ends within its budget, and the first one after it is well answers', async () => {
  await using etcd = await startEtcd();
  await using store = open(etcd.url);
  const { leaseId } = await store.leases.grantLease(60_000, unhurried);
  await store.leases.renewLease(leaseId, unhurried);
  await etcd.freeze();
  const calls: (() => Promise<unknown>)[] = [
    () => store.leases.grantLease(5000, unhurried),
    () => store.leases.renewLease(leaseId, unhurried),
    () => store.leases.leaseRemainingMs(leaseId, unhurried),
    () => store.leases.readKeys(['/test/apache-8001'], unhurried),
    () => store.leases.change([], [{ kind: 'delete', key: '/test/apache-8001' }], unhurried),
    () => store.leases.revokeLease(leaseId, unhurried),
  ];
  for (const call of calls) {
    const startedAt = performance.now();
    await expect(call()).rejects.toThrow(/no answer within/);
    expect(performance.now() - startedAt).toBeLessThan(shortCall.budgetMs + stallMs);
  }
  etcd.resume();
  expect(await store.leases.renewLease(leaseId, unhurried)).toBeGreaterThanOrEqual(0);
}, 30_000);

test('a connection that is accepted and never answered is given up, and leaves nothing behind', async () => {
  await using hole = await blackHole(inject('etcdUrl'));
  await using store = open(hole.url);
  const before = openFiles();
  for (let n = 0; n < 3; n += 1) {
    await expect(store.leases.grantLease(5000, unhurried)).rejects.toThrow(/no answer within/);
  }
  hole.heal();
  const grant = () => store.leases.grantLease(5000, unhurried).then(() => true as const, String);
  await waitUntil(
    { expected: 'a lease', withinMs: settingsTimeoutMs + shortCall.budgetMs + stallMs },
    grant,
  );
  await waitUntil({ expected: 'the stuck sockets closed', withinMs: 5000 }, () => {
    const left = openFiles() - before;
    return left <= 4 || `${left} more open files`;
  });
}, 30_000);

const openFiles = () => readdirSync('/proc/self/fd').length;

/** A port in front of etcd that accepts and stays silent until it is healed. */
async function blackHole(target: string) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let healed = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    if (!healed) return void socket.resume();
    const onward = connect(Number(port), hostname);
    sockets.add(onward);
    onward.on('close', () => sockets.delete(onward)).on('error', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heal: () => {
      healed = true;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
