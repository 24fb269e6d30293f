/**
 * Invariant 4, from the side of the backends: a loss that is explained, or of a single one, is
 * honoured at once; many that vanish together, unexplained, are held, asked and served, until etcd
 * has spoken after the hold.
 */
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { now, startSteadyClient } from '../../scripts/demo/steady-client.ts';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { relistMs } from '../../src/registry/mirror.ts';
import { measureStalls } from '../support/stalls.ts';
import { expiredWithinMs, startWatchedPool, type WatchedPool } from '../support/watched-pool.ts';

/** From an event in etcd to nginx's answer without the backend: check, reload, first answer. */
const appliedMs = 500;
const holdMs = 1000;
/** A listing that was asked for after the hold, its call, and a turn of the loop. */
const releasedMs = holdMs + relistMs.most + 500;

const pages = {
  empty: async ({ site }: WatchedPool) =>
    (await httpGet(site.url, 1000)).body.includes('No backend is in the pool') || 'another page',
};

const killWatchdogs = ({ backends }: WatchedPool) =>
  Promise.all(backends.map(({ watchdog }) => watchdog.kill()));

/** @param promisedMs while this machine runs; how long it did not is added. */
async function within(promisedMs: number, expected: string, look: () => Promise<true | string>) {
  using stalls = measureStalls();
  const tookMs = await waitUntil({ expected, withinMs: 4 * promisedMs }, look);
  expect(tookMs).toBeLessThan(promisedMs + stalls.totalMs);
}

test('all apaches die at once: their watchdogs prove it, and nobody is held', async () => {
  await using pool = await startWatchedPool(inject('etcdUrl'), 3);
  const [first] = pool.backends;
  const deadMs = (await first?.watchdog.status())?.outlivesAtMostMs.deadMs ?? 0;
  await Promise.all(pool.backends.map(({ apache }) => apache.kill()));
  await within(deadMs + appliedMs, 'the page that says so', () => pages.empty(pool));
  // Until nginx is confirmed to serve it alone, an older worker may answer the next request.
  await waitUntil({ expected: 'its confirmation', withinMs: 5000 }, async () => {
    const { confirmed, trouble } = await pool.balancer.status();
    return confirmed || `not confirmed: ${trouble}`;
  });
  const { status, headers } = await httpGet(pool.site.url, 1000);
  expect([status, headers['retry-after']]).toEqual([503, '5']);
  expect(pool.toldOfHolding()).toEqual([]);
  expect((await pool.balancer.status()).backends).toEqual([]);
});

test.concurrent('one watchdog of two is killed: the key that goes with its lease is honoured at once', async () => {
  // One of two is more than that share, and yet only one.
  await using pool = await startWatchedPool(inject('etcdUrl'), 2, { 'hold-above': '10%' });
  const [first, second] = pool.backends;
  await first?.watchdog.kill();
  await within(expiredWithinMs + appliedMs, 'one server in the file', async () => {
    const lines = await pool.site.upstream();
    return lines.length === 1 || lines.join(' ');
  });
  expect(await pool.site.upstream()).toEqual([`server ${second?.apache.address};`]);
  expect(pool.toldOfHolding()).toEqual([]);
});

test.concurrent('all watchdogs are killed: every apache is served until etcd has spoken', async () => {
  await using pool = await startWatchedPool(inject('etcdUrl'), 3, { hold: `${holdMs}ms` });
  using client = startSteadyClient(pool.site.url);
  const startedAt = now();
  await killWatchdogs(pool);
  await within(expiredWithinMs + appliedMs, 'three held', async () => {
    const held = await pool.count('held');
    return held === 3 || `${held}`;
  });
  const heldAt = now();
  let lastHeldAt = heldAt;
  await within(releasedMs, 'nobody held', async () => {
    const before = now();
    const held = await pool.count('held');
    if (held === 3) lastHeldAt = before;
    return held === 0 || `${held}`;
  });
  expect(lastHeldAt - heldAt).toBeGreaterThan(holdMs - 500);
  const sent = await client.startedBetween(startedAt, lastHeldAt);
  expect(sent.length).toBeGreaterThan(client.perSecond);
  expect(sent.filter(({ failure }) => failure !== undefined)).toEqual([]);
  // All three until the end, not the one that happened to answer.
  const late = sent.filter(({ startedAt: at }) => at > lastHeldAt - 500);
  expect(new Set(late.map(({ answeredBy }) => answeredBy)).size).toBe(3);
  await within(appliedMs, 'the page that says so', () => pages.empty(pool));
  const told = pool.toldOfHolding().map((msg) => msg.replace(/:.*/, ''));
  expect(told.toSorted()).toEqual([
    ...Array.from({ length: 3 }, () => 'backend held in the pool although its key is gone'),
    ...Array.from({ length: 3 }, () => 'backend no longer held'),
  ]);
});

test.concurrent('one of them is really dead: asked directly, it is dropped long before', async () => {
  await using pool = await startWatchedPool(inject('etcdUrl'), 3, { hold: '60s' });
  using client = startSteadyClient(pool.site.url);
  const startedAt = now();
  await killWatchdogs(pool);
  const [dead, ...alive] = pool.backends;
  await dead?.apache.kill();
  const expected = alive.map(({ key }) => `${key} held`).toSorted();
  await within(expiredWithinMs + appliedMs, 'the other two held, and no more', async () => {
    const { backends } = await pool.balancer.status();
    const states = backends.map(({ key, state }) => `${key} ${state}`).toSorted();
    const lines = await pool.site.upstream();
    return (
      (isDeepStrictEqual(states, expected) && lines.length === 2) || [...states, ...lines].join(' ')
    );
  });
  const sent = await client.startedBetween(startedAt, now());
  // nginx asks the next one where a connection is refused.
  expect(sent.filter(({ failure }) => failure !== undefined)).toEqual([]);
});

test.concurrent('etcd is away: who is held then stays so beyond the hold, until it is back', async () => {
  await using etcd = await startEtcd();
  await using pool = await startWatchedPool(etcd.url, 3, { hold: `${holdMs}ms` });
  await killWatchdogs(pool);
  const held = (count: number) => async () => {
    const seen = await pool.count('held');
    return seen === count || `${seen}`;
  };
  await within(expiredWithinMs + appliedMs, 'three held', held(3));
  await etcd.stop();
  // What must not happen has no event to wait for.
  await sleep(2 * holdMs + 500);
  expect(await pool.count('held')).toBe(3);
  expect(await pool.site.upstream()).toHaveLength(3);
  expect((await httpGet(pool.site.url, 1000)).status).toBe(200);
  await etcd.start();
  await within(releasedMs + 2000, 'nobody held', held(0));
});
