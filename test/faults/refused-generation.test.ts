/**
 * A generation that nginx did not take, although its check passed, is remembered with all that nginx
 * was to read: it is not tried again as it is, and at the next look when any of that has changed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { confOnDisk } from '../../scripts/demo/evidence.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { readWorkers } from '../../src/balancer/nginx/workers.ts';
import { rolloutTimes } from '../../src/balancer/rollout/rollout.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { startServedSite } from '../support/served-site.ts';

const soon = (expected: string) => ({ expected, withinMs: 5000 });

const zoneBy = (key: string) => `limit_req_zone ${key} zone=one:1m rate=1000r/s;\n`;

/** A pool of one that nginx serves, and a second backend in a file that nginx refused. */
async function startRefused() {
  await using stack = new AsyncDisposableStack();
  const served = stack.use(
    await startServedSite({ backends: { one: '127.0.0.1:9', three: '127.0.0.1:11' } }),
  );
  const { keys, site, balancer } = served;
  const zone = join(dirname(site.home.conf), 'conf.d', 'limit.conf');
  await writeFile(zone, zoneBy('$binary_remote_addr'));
  await keys.put('four', '127.0.0.1:12');
  const { generation } = await untilConfirmed(
    balancer,
    'three',
    ({ backends }) => backends.length === 3,
  );
  /** nginx tells of each reload that it refuses. */
  const refusals = async () =>
    (await readFile(site.home.errorLog, 'utf8'))
      .split('\n')
      .filter((line) => line.includes('[emerg]')).length;
  expect(await refusals()).toBe(0);

  await writeFile(zone, zoneBy('$request_uri'));
  await keys.put('two', '127.0.0.1:10');
  const refused = await waitUntil(
    { expected: 'the refusal found out', withinMs: 10_000 },
    async () => {
      const { trouble } = await balancer.status();
      return trouble?.includes('is back in place') || String(trouble);
    },
  );
  expect(refused).toBeGreaterThan(rolloutTimes.confirmWithinMs - 500);
  const owned = stack.move();
  return {
    ...{ ...served, refusals, accepted: generation.running ?? '' },
    mend: () => writeFile(zone, zoneBy('$binary_remote_addr')),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test.concurrent('as it is, it is not tried again; a removal makes another one, which is', async () => {
  await using world = await startRefused();
  const { keys, site, refusals, accepted, metric } = world;
  const workers = JSON.stringify(await readWorkers(site.home.pidFile));
  const seen = new Set<string>();
  const from = performance.now();
  // Its back-off ends two or three times meanwhile.
  await waitUntil({ expected: '20 s', withinMs: 25_000, everyMs: 10 }, async () => {
    const { generation } = await confOnDisk(site.home.conf);
    seen.add(`${generation} ${JSON.stringify(await readWorkers(site.home.pidFile))}`);
    return performance.now() - from > 20_000 || 'not yet';
  });
  expect([...seen]).toEqual([`${accepted} ${workers}`]);
  expect(await refusals()).toBe(1);
  expect(await metric('rollcall_rollouts_total{result="confirm_failed"}')).toBeGreaterThan(1);
  expect(await site.served()).toBe(accepted);

  await keys.remove('one');
  await waitUntil(soon('another try'), async () => (await refusals()) === 2 || 'none');
}, 60_000);

test.concurrent('the included file mended, it is served within its back-off, with no event', async () => {
  await using world = await startRefused();
  const { balancer, site, refusals, mend } = world;
  await mend();
  const { generation } = await untilConfirmed(
    balancer,
    'all four',
    ({ generation: { wanted, running } }) => wanted === running,
  );
  expect(await site.served()).toBe(generation.wanted);
  expect(await site.upstream()).toHaveLength(4);
  expect(await refusals()).toBe(1);
}, 60_000);

test.concurrent('an nginx that was only slow to answer has not changed: it is not tried again for that', async () => {
  await using world = await startRefused();
  const { balancer, site, refusals, nginx, accepted } = world;
  await nginx.freeze();
  await waitUntil(
    soon('nginx seen to be late'),
    async () => (await balancer.status()).generation.running === null || 'not',
  );
  nginx.resume();
  await waitUntil(
    soon('nginx seen again'),
    async () => (await balancer.status()).generation.running === accepted || 'not',
  );
  const from = performance.now();
  await waitUntil(soon('a while'), () => performance.now() - from > 2000 || 'not yet');
  expect(await refusals()).toBe(1);
  expect((await confOnDisk(site.home.conf)).generation).toBe(accepted);
}, 60_000);
