/** The store on a real etcd: leases, pages, and calls that end in time whatever etcd does. */
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, inject, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { settingsTimeoutMs } from '../../src/lib/http2-settings-guard.ts';
import { EtcdEndpoints, shortCall } from '../../src/registry/etcd-endpoints.ts';
import { etcdKeys } from '../../src/registry/etcd-keys.ts';
import { etcdLeases } from '../../src/registry/etcd-leases.ts';

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

test('a key is written only while it is as it was seen', async () => {
  await using store = open(inject('etcdUrl'));
  const key = `/store-${randomUUID()}/apache-8001`;
  const { leaseId } = await store.leases.grantLease(60_000, unhurried);
  const put = (value: string) => ({ key, value, leaseId });
  expect(await store.leases.putIfUnchanged(put('127.0.0.1:1'), undefined, unhurried)).toBe(true);
  expect(await store.leases.putIfUnchanged(put('127.0.0.1:2'), undefined, unhurried)).toBe(false);
  const seen = await store.leases.readKey(key, unhurried);
  expect(seen).toMatchObject({ value: '127.0.0.1:1', leaseId });
  expect(await store.leases.putIfUnchanged(put('127.0.0.1:2'), seen, unhurried)).toBe(true);
  await store.leases.revokeLease(leaseId, unhurried);
  expect(await store.leases.readKey(key, unhurried)).toBeUndefined();
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
          store.leases.putIfUnchanged({ key, value: '127.0.0.1:1', leaseId }, undefined, unhurried),
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
    () => store.leases.readKey('/test/apache-8001', unhurried),
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
