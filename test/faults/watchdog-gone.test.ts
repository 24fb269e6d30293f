/** Invariant 1: the lease is renewed by a fresh passing probe, and by nothing else. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { expiredMs, ttlMs, watchdogFlags } from '../../scripts/demo/cadence.ts';
import { keysInEtcd } from '../../scripts/demo/evidence.ts';
import { startApache } from '../../scripts/parts/apache.ts';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { startWatchdog } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { watchRecord } from '../support/record-watch.ts';

async function watchedApache() {
  await using stack = new AsyncDisposableStack();
  const etcd = stack.use(await startEtcd());
  const apache = stack.use(await startApache());
  const key = `/test/${apache.name}`;
  const flags = { ...watchdogFlags, etcd: etcd.url, key, address: apache.address };
  const watchdog = stack.use(await startWatchdog(flags));
  const registered = async () => (await keysInEtcd(etcd.url, '/test')).has(key);
  const isThere = async () => (await registered()) || 'no key';
  const isGone = async () => !(await registered()) || 'the key';
  await waitUntil({ expected: 'the key', withinMs: 5000 }, isThere);
  const watched = stack.use(await watchRecord(etcd.url, key));
  const owned = stack.move();
  return {
    ...{ apache, watchdog, watched, isThere, isGone },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('a watchdog killed: the key goes with its lease, the apache being well', async () => {
  await using world = await watchedApache();
  const { watchdog, isGone } = world;
  await watchdog.kill();
  const tookMs = await waitUntil({ expected: 'no key', withinMs: expiredMs.atMost }, isGone);
  expect(tookMs).toBeGreaterThan(expiredMs.atLeast - 1000);
}, 60_000);

test('a watchdog frozen for longer than the TTL: once resumed it probes before it renews', async () => {
  await using world = await watchedApache();
  const { apache, watchdog, watched, isGone, isThere } = world;
  await watchdog.freeze();
  await waitUntil({ expected: 'no key', withinMs: expiredMs.atMost }, isGone);
  await apache.kill();
  const before = watched.changes.length;
  watchdog.resume();
  await sleep(3000);
  // Not for a moment: etcd's own record of what happened has no new key in it.
  const since = watched.changes.slice(before);
  expect(since.filter(({ what, kind }) => what === 'key' && kind === 'put')).toEqual([]);

  await apache.start();
  await waitUntil({ expected: 'the key again', withinMs: 5000 }, isThere);
}, 60_000);

test('an apache that only fails: not one renewal, even while it is still up by fall', async () => {
  await using etcd = await startEtcd();
  await using apache = await startApache();
  const key = `/test/${apache.name}`;
  await using watchdog = await startWatchdog({
    ...{ etcd: etcd.url, key, address: apache.address, ttl: '60s' },
    ...{ interval: '200ms', 'fast-interval': '200ms', fall: 20, timeout: '1s' },
  });
  const there = async () => (await keysInEtcd(etcd.url, '/test')).has(key) || 'no key';
  await waitUntil({ expected: 'the key', withinMs: 5000 }, there);
  await apache.failing(true);
  await waitUntil({ expected: 'a failing backend', withinMs: 3000 }, async () => {
    const { state } = await watchdog.status();
    return state === 'failing' || state;
  });
  const remaining = await leaseTtl(etcd.url, key);
  await sleep(2000);
  expect((await watchdog.status()).state).toBe('failing');
  expect(await leaseTtl(etcd.url, key)).toBeLessThanOrEqual(remaining - 1);
}, 60_000);

/** etcd's own word on the lease of a key: whole seconds left. */
async function leaseTtl(etcdUrl: string, key: string): Promise<number> {
  const ask = async (path: string, body: object) =>
    (await (
      await fetch(`${etcdUrl}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ttlMs),
      })
    ).json()) as { readonly kvs?: readonly { readonly lease: string }[]; readonly TTL?: string };
  const { kvs } = await ask('/v3/kv/range', { key: btoa(key) });
  const { TTL } = await ask('/v3/kv/lease/timetolive', { ID: kvs?.[0]?.lease });
  return Number(TTL);
}
