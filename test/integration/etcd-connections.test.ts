/** Endpoints that cannot be reached, each in its own way: an end in time, a reason, nothing left behind. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer as createMute } from 'node:http2';
import type { AddressInfo, LookupFunction } from 'node:net';
import { expect, inject, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { connectTimeoutMs } from '../../src/registry/etcd/connect-guard.ts';
import { shortCall } from '../../src/registry/etcd/endpoints.ts';
import { watchReadyMs } from '../../src/registry/etcd/watch.ts';
import {
  openStores,
  reasonOf,
  type Stores,
  tells,
  unhurried,
  watched,
} from '../support/etcd-stores.ts';
import { deadUrl, rawServer } from '../support/local-server.ts';
import { makeTls } from '../support/tls.ts';

const stallMs = 1000;
const openFiles = () => readdirSync('/proc/self/fd').length;
/** One connection may be in use still. */
const closedAgain = (before: number) => openFiles() <= before + 2 || `${openFiles() - before} more`;
const withoutSlash = (url: string) => url.replace(/\/$/, '');

const neverAnswers = () => new Promise<never>(() => {});

/** Each kind of call and stream once. @returns the reasons. */
const everything = ({ leases, keys }: Stores) =>
  Promise.all(
    [
      leases.grantLease(5000, unhurried),
      leases.renewLease('1', unhurried),
      leases.readKeys(['/test/a'], unhurried),
      leases.watchPlaces([{ key: '/test/a' }], () => {}, unhurried),
      keys.list('/test', unhurried),
    ].map(reasonOf),
  );

const unknown: LookupFunction = (name, _options, callback) => {
  const error = new Error(`getaddrinfo ENOTFOUND ${name}`);
  callback(Object.assign(error, { code: 'ENOTFOUND' }), '');
};

test('nobody listens: 100 failures with their reason, no file left open', async () => {
  await using store = await openStores(withoutSlash(await deadUrl()));
  // The first time makes what stays: threads, and what they wait on.
  await everything(store);
  const before = openFiles();
  for (let n = 0; n < 20; n += 1) {
    for (const told of await everything(store)) {
      expect(told).toMatch(/: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
    }
  }
  await waitUntil({ expected: 'no more open files', withinMs: 5000 }, () => closedAgain(before));
}, 60_000);

test('a TLS handshake that is never answered: 100 failures, no socket left', async () => {
  await using tls = await makeTls();
  await using hole = await rawServer((socket) => void socket.resume());
  const url = withoutSlash(hole.url).replace('http:', 'https:');
  const before = openFiles();
  const failures = Array.from({ length: 20 }, async () => {
    await using store = await openStores(url, { ca: tls.ca.cert });
    const startedAt = performance.now();
    for (const told of await everything(store))
      expect(told).toMatch(/no answer within|no TLS|did not confirm/);
    // A page of a listing has the longest budget.
    expect(performance.now() - startedAt).toBeLessThan(4000 + stallMs);
  });
  await Promise.all(failures);
  // At the other end of each socket is one of ours as well.
  await waitUntil(
    { expected: 'no more open files', withinMs: connectTimeoutMs + 1000 + stallMs },
    () => closedAgain(before),
  );
}, 60_000);

test('clients are rebuilt 100 times under an etcd that is well: no file left open', async () => {
  await using store = await openStores(inject('etcdUrl'));
  await store.leases.grantLease(5000, unhurried);
  await using dead = await openStores(withoutSlash(await deadUrl()));
  await everything(dead);
  const before = openFiles();
  for (let n = 0; n < 100; n += 1) {
    await using fresh = await openStores(inject('etcdUrl'));
    const { leaseId } = await fresh.leases.grantLease(5000, unhurried);
    expect(await fresh.leases.renewLease(leaseId, unhurried)).toBe(5000);
  }
  await waitUntil({ expected: 'no more open files', withinMs: 5000 }, () => closedAgain(before));
}, 60_000);

test('after many failures the first call to an etcd that is well again answers: no breaker', async () => {
  await using etcd = await startEtcd();
  await using store = await openStores(etcd.url);
  await store.leases.grantLease(5000, unhurried);
  await etcd.freeze();
  for (let n = 0; n < 4; n += 1) {
    const startedAt = performance.now();
    expect(await reasonOf(store.leases.grantLease(5000, unhurried))).toMatch(/no answer within/);
    expect(performance.now() - startedAt).toBeLessThan(shortCall.budgetMs + stallMs);
  }
  etcd.resume();
  const { ttlMs } = await store.leases.grantLease(5000, unhurried);
  expect(ttlMs).toBe(5000);
}, 30_000);

test('a unary call that fails leaves the watch and the renewals alone', async () => {
  await using store = await openStores(inject('etcdUrl'));
  await using watch = watched(store);
  await tells(store, watch.told);
  const { leaseId, ttlMs } = await store.leases.grantLease(5000, unhurried);
  await store.leases.renewLease(leaseId, unhurried);
  // The error is one after which etcd3 closes every service of the client.
  const value = 'x'.repeat(8 * 1024 * 1024);
  const tooLarge = store.leases.change(
    [],
    [{ kind: 'put', key: '/test/x', value, leaseId }],
    unhurried,
  );
  expect(await reasonOf(tooLarge)).toMatch(/larger than max/);
  // After this one the client itself is given up.
  const late = { tryMs: 1, budgetMs: 100 };
  const lost = store.endpoints.call({ what: 'late' }, late, neverAnswers, unhurried);
  expect(await reasonOf(lost)).toMatch(/no answer within/);
  watch.told.changes = 0;
  await tells(store, watch.told);
  expect(watch.told.ended).toBe('');
  expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);
  await store.leases.revokeLease(leaseId, unhurried);
});

test('a watch of a key ends, with its reason, when etcd goes and when it does not confirm', async () => {
  await using etcd = await startEtcd();
  await using store = await openStores(etcd.url);
  const stop = new AbortController();
  const stopped = reasonOf(store.leases.watchPlaces([{ key: '/test/a' }], () => {}, stop.signal));
  stop.abort(new Error('enough'));
  expect(await stopped).toBe('enough');
  await using watch = watched(store);
  await tells(store, watch.told);
  await etcd.kill();
  await waitUntil(
    { expected: 'the end of the watch', withinMs: stallMs },
    () => watch.told.ended.startsWith(`etcd watch at ${etcd.url}: `) || watch.told.ended,
  );
  await etcd.start();
  await etcd.freeze();
  const startedAt = performance.now();
  expect(
    await reasonOf(store.leases.watchPlaces([{ key: '/test/a' }], () => {}, unhurried)),
  ).toMatch(
    /^etcd watch at .*: (no HTTP\/2 SETTINGS|etcd did not confirm the watch) within \d+ ms$/,
  );
  expect(performance.now() - startedAt).toBeLessThan(watchReadyMs + stallMs);
  etcd.resume();

  // Speaks HTTP/2, and says nothing by it.
  const mute = createMute().listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  await using unheard = await openStores(url);
  expect(
    await reasonOf(unheard.leases.watchPlaces([{ key: '/test/a' }], () => {}, unhurried)),
  ).toBe(`etcd watch at ${url}: etcd did not confirm the watch within ${watchReadyMs} ms`);
  mute.close();
}, 30_000);

test('a proxy in the environment is not for etcd', async () => {
  const proxy = await deadUrl();
  const names = ['http_proxy', 'https_proxy', 'grpc_proxy'];
  for (const name of names) process.env[name] = proxy;
  try {
    await using store = await openStores(inject('etcdUrl'));
    const { leaseId, ttlMs } = await store.leases.grantLease(5000, unhurried);
    expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);
  } finally {
    for (const name of names) delete process.env[name];
  }
});

test('a name that is not known, or not answered for, is the reason; its look-ups do not pile up', async () => {
  let asked = 0;
  const answers: (() => void)[] = [];
  const lookup: LookupFunction = (_name, _options, callback) => {
    asked += 1;
    answers.push(() => callback(null, [{ address: '127.0.0.1', family: 4 }]));
  };
  // The shared one may have an address of its own, which no name of this machine leads to.
  await using etcd = await startEtcd();
  const url = etcd.url.replace('127.0.0.1', 'localhost');
  await using store = await openStores(url, {}, lookup);
  const startedAt = performance.now();
  for (const told of await everything(store)) {
    expect(told).toContain(`at ${url}: looking up localhost: no answer within`);
  }
  expect(performance.now() - startedAt).toBeLessThan(4000 + stallMs);
  expect(asked).toBe(1);
  for (const answer of answers) answer();
  const granted = store.leases.grantLease(5000, unhurried);
  await waitUntil({ expected: 'asked again', withinMs: stallMs }, () => asked > 1 || 'not');
  for (const answer of answers) answer();
  expect((await granted).ttlMs).toBe(5000);

  await using lost = await openStores(url, {}, unknown);
  expect(await reasonOf(lost.leases.grantLease(5000, unhurried))).toBe(
    `etcd lease grant at ${url}: looking up localhost: getaddrinfo ENOTFOUND localhost`,
  );
}, 30_000);
