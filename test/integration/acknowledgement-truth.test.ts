/**
 * An acknowledgement is never ahead of the truth: from the moment that anybody can read it, nginx
 * answers nobody by way of a backend that its revision removed. Nor is it there already at the
 * first answer of the new generation, when older workers still take requests.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { generationServed } from '../../scripts/demo/evidence.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { watchAcknowledgements } from '../support/acknowledgement-watch.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { startNamedBackend } from '../support/named-backend.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { startServedSite } from '../support/served-site.ts';

const sites = 2;
const swaps = 15;
/** nginx's old workers take requests for about 100 ms after its new ones began to. */
const askedForMs = 150;
const atOnce = 4;

/** Who answers fresh connections from now on. */
async function askMany(url: string): Promise<readonly string[]> {
  const untilMs = performance.now() + askedForMs;
  const handlers: string[] = [];
  const ask = async () => {
    while (performance.now() < untilMs) {
      const { headers } = await httpGet(url, 2000);
      handlers.push(String(headers['x-handler']));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
  return handlers;
}

test('no request is answered by a backend whose removal is acknowledged', async () => {
  await using a = await startNamedBackend('a');
  await using b = await startNamedBackend('b');
  const trial = async () => {
    await using world = await startServedSite({ backends: { one: a.address } });
    const { keys, site, recordPrefix } = world;
    const confirmUrl = site.flags['confirm-url'] ?? '';
    await using watch = await watchAcknowledgements(inject('etcdUrl'), recordPrefix);
    await using writer = openEtcdWriter([inject('etcdUrl')]);
    const found = { asked: 0, wrong: [] as string[], early: 0 };
    for (let swap = 0; swap < swaps; swap += 1) {
      // One goes and the other comes back, at one revision: each has been there before.
      const comes = swap % 2 === 0 ? b.address : a.address;
      const [now, then] = swap % 2 === 0 ? ['two', 'one'] : ['one', 'two'];
      const before = await site.served();
      const at = await writer.write([keys.key(now), comes], [keys.key(then), undefined]);
      const isSaid = () => watch.last(keys.prefix)?.revision === at;
      const firstAnswer = async () => {
        await waitUntil(
          { expected: 'another generation', withinMs: 5000, everyMs: 1 },
          async () => {
            const served = await generationServed(confirmUrl);
            return (served !== undefined && served !== before) || String(served);
          },
        );
        if (isSaid()) found.early += 1;
      };
      const acknowledged = async () => {
        const said = { expected: `revision ${at} acknowledged`, withinMs: 8000 };
        await watch.until(said, keys.prefix, ({ revision }) => revision === at);
        return await askMany(site.url);
      };
      const [handlers] = await Promise.all([acknowledged(), firstAnswer()]);
      found.asked += handlers.length;
      found.wrong.push(
        ...handlers.filter((one) => one !== comes).map((one) => `${one}, not ${comes}`),
      );
    }
    return found;
  };
  for (const { asked, wrong, early } of await Promise.all(Array.from({ length: sites }, trial))) {
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(swaps * atOnce);
    // A look that comes late sees both at once; as a rule it does not.
    expect(early).toBeLessThan(swaps / 3);
  }
}, 60_000);

test('nor when one change follows the other before it is confirmed', async () => {
  await using stack = new AsyncDisposableStack();
  const addresses: string[] = [];
  for (let n = 0; n < 25; n += 1) {
    addresses.push(stack.use(await startNamedBackend(`${n}`)).address);
  }
  await using world = await startServedSite({
    // So many losses in a row are not to be doubted here.
    ...{ backends: { 0: addresses[0] ?? '' }, flags: { 'hold-above': '100%' } },
  });
  const { keys, site, recordPrefix } = world;
  await using watch = await watchAcknowledgements(inject('etcdUrl'), recordPrefix);
  await using writer = openEtcdWriter([inject('etcdUrl')]);
  /** By step, its revision: from then on only that backend is in the pool. */
  const revisions: number[] = [0];
  const acknowledgedStep = () => {
    const said = watch.last(keys.prefix)?.revision ?? 0;
    return revisions.findLastIndex((revision) => revision <= said);
  };
  const over = new AbortController();
  const wrong: string[] = [];
  let asked = 0;
  const ask = async () => {
    while (!over.signal.aborted) {
      const step = acknowledgedStep();
      const { headers } = await httpGet(site.url, 2000);
      const by = addresses.indexOf(String(headers['x-handler']));
      if (by < step) wrong.push(`${by} after the acknowledgement of ${step}`);
      asked += 1;
    }
  };
  const change = async () => {
    for (const [n, address] of addresses.entries()) {
      if (n === 0) continue;
      revisions[n] = await writer.write(
        [keys.key(`${n}`), address],
        [keys.key(`${n - 1}`), undefined],
      );
      // From quicker than a reload to slower than its confirmation.
      await sleep((n % 8) * 40);
    }
    const last = { expected: 'the last one acknowledged', withinMs: 15_000 };
    await watch.until(last, keys.prefix, ({ revision }) => revision === revisions.at(-1));
  };
  await Promise.all([change().finally(() => over.abort()), ...Array.from({ length: atOnce }, ask)]);
  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThan(200);
  expect(watch.changes.length).toBeGreaterThan(2);
}, 60_000);

test('a mass loss that is held is not acknowledged, nor is what comes after it, until it is believed', async () => {
  await using backend = await startNamedBackend('one');
  const held = ['one', 'two', 'three'];
  // Each answers when it is asked directly.
  await using elsewhere = await startNamedBackend('two');
  await using further = await startNamedBackend('three');
  const addresses = [backend.address, elsewhere.address, further.address];
  await using world = await startServedSite({
    backends: Object.fromEntries(held.map((name, n) => [name, addresses[n] ?? ''])),
    flags: { hold: '2s' },
  });
  const { keys, site, balancer, recordPrefix } = world;
  await using watch = await watchAcknowledgements(inject('etcdUrl'), recordPrefix);
  await using writer = openEtcdWriter([inject('etcdUrl')]);
  const lostAt = await writer.write(...held.map((name) => [keys.key(name), undefined] as const));
  const addedAt = await writer.write([keys.key('four'), '127.0.0.1:9']);
  await untilConfirmed(
    balancer,
    'three held and one more',
    ({ backends }) => backends.map(({ state }) => state).join() === 'in pool,held,held,held',
  );
  expect(await site.upstream()).toHaveLength(4);
  const { services } = await balancer.status();
  expect(services[0]?.revision.applied).toBeLessThan(lostAt);

  const believed = { expected: 'the loss believed', withinMs: 10_000 };
  await watch.until(believed, keys.prefix, ({ revision }) => revision >= lostAt);
  expect(await site.upstream()).toHaveLength(1);
  const said = watch.changes.map(({ said: one }) => one?.revision ?? 0);
  expect(said.filter((revision) => revision >= lostAt && revision < addedAt)).toEqual([]);
  expect(watch.last(keys.prefix)?.revision).toBe(addedAt);
});
