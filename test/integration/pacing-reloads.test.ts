/**
 * How many reloads there are, counted by the command that does them: additions in any number share
 * the few that there are, and a removal among them waits for none of that.
 */
import { get } from 'node:http';
import { expect, inject, test } from 'vitest';
import type { Flags } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { pacingTimes } from '../../src/balancer/rollout/pacing.ts';
import { rolloutTimes } from '../../src/balancer/rollout/rollout.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { startNamedBackend } from '../support/named-backend.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { applyMs, untilGone, untilWaiting } from '../support/pace.ts';
import { makeReloadCommand, type ReloadCommand } from '../support/reload-command.ts';
import { startServedSite } from '../support/served-site.ts';
import { measureStalls } from '../support/stalls.ts';

const { tokens, tokenEveryMs, removalMs } = pacingTimes;

const soon = (expected: string) => ({ expected, withinMs: 5000 });

/** Additions wait for nothing but their turn to reload. */
async function startCounted(backends: Readonly<Record<string, string>>, flags: Flags = {}) {
  let reload: ReloadCommand | undefined;
  const served = await startServedSite({
    backends,
    flags: async ({ home }) => {
      reload = await makeReloadCommand(home);
      return { settle: '0s', 'settle-max': '0s', reload: reload.method, ...flags };
    },
  });
  return {
    ...served,
    reloads: async () => (await reload?.count()) ?? Number.NaN,
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  };
}

test('additions in quick succession make no more generations than may live', async () => {
  await using backend = await startNamedBackend('one');
  await using world = await startCounted({ one: backend.address }, { 'max-generations': 2 });
  const { keys, site, balancer, reloads } = world;
  const reloadsBefore = await reloads();
  // Every generation has requests that do not end.
  const stop = new AbortController();
  const asking = setInterval(() => {
    const request = get(`${site.url}hold`, { agent: false, signal: stop.signal });
    request.on('error', () => {});
  }, 5);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => (clearInterval(asking), stop.abort()));
  for (const port of [9, 10, 11, 12, 13]) {
    const before = await site.served();
    await keys.put(`more-${port}`, `127.0.0.1:${port}`);
    // As soon as the next workers are there, when those before them have yet to be told to leave.
    await waitUntil({ ...soon('the next generation, or a wait'), everyMs: 1 }, async () => {
      if ((await site.served()) !== before) return true;
      return (await balancer.status()).waiting === 'generations' || 'neither';
    });
  }
  await untilWaiting(world, 'generations');
  // The one that was there goes on, so there is room for one more.
  expect((await reloads()) - reloadsBefore).toBe(1);
  await waitUntil(soon('two generations'), async () => {
    const { living } = (await balancer.status()).generation;
    return living === 2 || String(living);
  });
});

test('a storm of additions takes the reloads that there are, and a removal in it comes at once', async () => {
  await using writer = openEtcdWriter([inject('etcdUrl')]);
  const victims = Array.from({ length: 5 }, (_, n) => [`a${n}`, `127.0.0.2:${n + 1}`] as const);
  await using world = await startCounted(Object.fromEntries(victims));
  const { keys, balancer } = world;
  const reloadsBefore = await world.reloads();
  const startedAt = performance.now();
  const additions = 200;
  let written = 0;
  const storm = async () => {
    for (; written < additions; written += 1) {
      const due = { expected: 'its turn', withinMs: 10_000, everyMs: 1 };
      await waitUntil(due, () => performance.now() >= startedAt + written * 10 || 'not yet');
      await writer.write([keys.key(`b${written}`), `127.0.0.1:${1000 + written}`]);
    }
  };
  /** How long each was in the file after it was gone from etcd, less what the machine took away. */
  const outlivedMs: number[] = [];
  const removals = async () => {
    await using another = openEtcdWriter([inject('etcdUrl')]);
    for (const [n, [name, address]] of victims.entries()) {
      await waitUntil(soon('some of the storm'), () => written > 30 * (n + 1) || `${written}`);
      await another.write([keys.key(name), undefined]);
      using stalls = measureStalls();
      const tookMs = await untilGone(world, address);
      outlivedMs.push(tookMs - stalls.totalMs);
    }
  };
  await Promise.all([storm(), removals()]);
  await untilConfirmed(balancer, 'all', ({ backends }) => backends.length === additions);
  const tookMs = performance.now() - startedAt;
  const reloads = (await world.reloads()) - reloadsBefore;
  expect(reloads).toBeLessThanOrEqual(tokens + tookMs / tokenEveryMs);
  expect(reloads).toBeGreaterThanOrEqual(victims.length);
  const allowedMs = removalMs + (await applyMs(world));
  // A reload that nginx has not answered yet holds it up; as a rule there is none.
  expect(Math.max(...outlivedMs)).toBeLessThan(allowedMs + rolloutTimes.spacingMs);
  expect(outlivedMs.toSorted((a, b) => a - b)[2]).toBeLessThan(allowedMs);
});
