/**
 * While too many generations of nginx live additions wait, and come by themselves when one has ended;
 * a removal waits for none.
 */
import { expect, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { pacingTimes } from '../../src/balancer/rollout/pacing.ts';
import { holdRequest, startNamedBackend } from '../support/named-backend.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { applyMs, untilGone, untilWaiting } from '../support/pace.ts';
import { type ServedSite, startServedSite } from '../support/served-site.ts';
import { measureStalls } from '../support/stalls.ts';

const soon = (expected: string) => ({ expected, withinMs: 5000 });

const untilServers = ({ site }: ServedSite, count: number) =>
  waitUntil(soon(`${count} servers in the file`), async () => {
    const lines = await site.upstream();
    return lines.length === count || lines.join(' ');
  });

const untilLiving = ({ balancer }: ServedSite, count: number) =>
  untilConfirmed(balancer, `${count} generations`, ({ generation }) => generation.living === count);

const toldOfGenerations = ({ balancer }: ServedSite) =>
  balancer.log.filter(({ msg }) => msg.startsWith('additions wait: '));

test('while too many generations live an addition waits, and comes with no event when one has ended', async () => {
  await using backend = await startNamedBackend('one');
  await using world = await startServedSite({
    ...{ backends: { one: backend.address }, flags: { 'max-generations': 2 } },
  });
  const { keys, balancer, metric } = world;
  const { answered } = await holdRequest(world.site.url, backend);
  await keys.put('two', '127.0.0.1:9');
  await untilLiving(world, 2);
  await untilServers(world, 2);

  await keys.put('three', '127.0.0.1:10');
  await untilWaiting(world, 'generations');
  const before = (await balancer.status()).generation;
  expect(before).toMatchObject({ living: 2, onDisk: before.running });
  expect(before.wanted).not.toBe(before.onDisk);
  expect(await metric('rollcall_waiting{because="generations"}')).toBe(1);
  expect(await metric('rollcall_living_generations')).toBe(2);
  // Longer than an addition that waits for nothing else, and than a look without any event.
  const waitedFrom = performance.now();
  await waitUntil(soon('a while'), () => performance.now() - waitedFrom > 1500 || 'not yet');
  expect((await balancer.status()).generation).toEqual(before);
  expect(toldOfGenerations(world)).toMatchObject([
    { level: 'warn', msg: 'additions wait: 2 generations of nginx still live' },
  ]);

  backend.release();
  await answered;
  await untilServers(world, 3);
  await untilConfirmed(balancer, 'three', ({ generation }) => generation.living === 1);
  expect(await metric('rollcall_waiting{because="generations"}')).toBe(0);
});

test('while too many generations live a removal goes at once', async () => {
  await using backend = await startNamedBackend('one');
  await using world = await startServedSite({
    backends: { one: backend.address, two: '127.0.0.1:9' },
    flags: { 'max-generations': 2 },
  });
  const { keys, balancer } = world;
  for (const generations of [2, 3]) {
    await holdRequest(world.site.url, backend);
    await keys.put(`more-${generations}`, `127.0.0.1:${10 + generations}`);
    if (generations === 2) await untilLiving(world, 2);
    else await untilWaiting(world, 'generations');
  }
  using stalls = measureStalls();
  await keys.remove('two');
  const tookMs = await untilGone(world, '127.0.0.1:9');
  expect(tookMs - stalls.totalMs).toBeLessThan(pacingTimes.removalMs + (await applyMs(world)));
  // What waited comes with it: there is a reload all the same.
  const { generation } = await untilConfirmed(
    balancer,
    'no more waiting',
    ({ waiting }) => waiting === null,
  );
  expect(generation.living).toBe(3);
  expect(backend.held).toBe(2);
});

test('an old generation ends with --worker-shutdown-timeout, and the addition comes', async () => {
  await using backend = await startNamedBackend('one');
  await using world = await startServedSite({
    backends: { one: backend.address },
    flags: { 'max-generations': 2, 'worker-shutdown-timeout': '1s' },
  });
  await holdRequest(world.site.url, backend);
  await world.keys.put('two', '127.0.0.1:9');
  await untilLiving(world, 2);
  await world.keys.put('three', '127.0.0.1:10');
  await untilWaiting(world, 'generations');
  await untilServers(world, 3);
  expect(backend.held).toBe(1);
});
