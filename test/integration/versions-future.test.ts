/**
 * A release that is yet to come, as far as one can be pretended: what it would write in etcd, with
 * fields that nobody knows, and of a greater format. Nothing is concluded that cannot be known, and
 * the operator is told what to upgrade.
 */
import { expect, inject, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { acknowledgementKey, formatAcknowledgement } from '../../src/registry/acknowledgement.ts';
import { formatDrainOrder } from '../../src/registry/drain-order.ts';
import { formatRecord, recordKey } from '../../src/registry/record.ts';
import { recordOf } from '../support/builders.ts';
import {
  stopped,
  untilMissing,
  untilReady,
  untilStage,
  untilTold,
} from '../support/drained-site.ts';
import { openEtcdClient } from '../support/etcd-client.ts';
import {
  openVersions,
  untilGone,
  untilServed,
  type VersionsWorld,
  whoIs,
} from './versions-world.ts';

const why = 'its acknowledgement: it is of format 2, and this rollcall knows 1: upgrade this one';
const who = 'lb9 (pid 7)';

/** The same in that format, and with fields that nobody knows. */
const later = (text: string, format: number) =>
  JSON.stringify({ mood: { good: [true] }, ...(JSON.parse(text) as object), format, epoch: 'x' });

/** A client of etcd, and a lease that keeps what that release writes. */
async function openFuture({ keys: { prefix }, recordPrefix }: VersionsWorld) {
  await using stack = new AsyncDisposableStack();
  const { etcd } = stack.use(openEtcdClient(inject('etcdUrl')));
  const lease = etcd.lease(60);
  stack.defer(() => lease.revoke().catch(() => {}));
  const header = async () => (await etcd.get('/').exec()).header;
  const owned = stack.move();
  return {
    ...{ etcd, lease },
    /** That all is served up to now, as of today's format it would say. */
    acknowledges: async (format: number) => {
      const { revision, cluster_id: cluster } = await header();
      const text = formatAcknowledgement({
        ...{ instance: 'nine', host: 'lb9', pid: 7, version: '9.0.0', admin: null, cluster },
        ...{ service: 'backend', revision: Number(revision), generation: '0a1b2c3d4e5f' },
        ...{ olderLive: false, omits: [], omitsMore: false },
      });
      await lease.put(acknowledgementKey(recordPrefix, prefix, 'nine')).value(later(text, format));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('its balancer is waited for and never taken for one that has confirmed: the watchdog says why', async () => {
  await using world = await openVersions();
  await using future = await openFuture(world);
  await world.addApache('a');
  const front = await world.addFront('current');
  const watchdog = await world.watch('current', 'a');
  await untilReady(watchdog);
  await future.acknowledges(2);
  const stops = stopped(watchdog);
  await untilGone(world, 'a');
  await future.acknowledges(2);
  await untilMissing(watchdog, `${who}: ${why}`);
  expect((await untilTold(watchdog, 'waiting for')).msg).toContain(`${who}: ${why}`);
  expect((await watchdog.status()).drain).toMatchObject({
    ...{ stage: 'waiting', confirmed: [whoIs(front.balancer)] },
  });
  // Of a format that is known it counts, whatever else it says.
  await future.acknowledges(1);
  const { code, confirmed } = await stops;
  expect([code, confirmed]).toEqual([0, [whoIs(front.balancer), who].toSorted()]);
}, 60_000);

test('a drain that it holds up ends with its deadline, and with its lease', async () => {
  await using world = await openVersions();
  await using future = await openFuture(world);
  for (const name of ['a', 'b']) await world.addApache(name);
  await future.acknowledges(2);
  const limited = await world.watch('current', 'a', { 'drain-timeout': '2s' });
  await waitUntil(
    { expected: 'a registered', withinMs: 10_000 },
    async () => (await limited.status()).registered || 'not yet',
  );
  const { code, last } = await stopped(limited);
  expect(code).toBe(0);
  expect(last).toMatchObject({ level: 'warn', missing: [`${who}: ${why}`] });

  const patient = await world.watch('current', 'b');
  await untilMissing(patient, `${who}: ${why}`);
  await future.lease.revoke();
  await untilReady(patient);
}, 60_000);

test('the commands wait for it, and say why', async () => {
  await using world = await openVersions();
  await using future = await openFuture(world);
  for (const name of ['a', 'b']) await world.keys.put(name, `127.0.0.1:${name === 'a' ? 1 : 2}`);
  await future.acknowledges(2);
  const key = world.keys.key('a');
  const said = `not confirmed yet: ${who}: ${why}`;
  const waited = await world.command('current', 'wait', key, '--in-rotation', '--timeout', '1s');
  expect([waited.status, waited.stderr]).toEqual([3, expect.stringContaining(said)]);
  const drained = await world.command('current', 'drain', key, '--wait', '--timeout', '1s');
  expect([drained.status, drained.stderr]).toEqual([3, expect.stringContaining(said)]);
});

test('its order is an order: obeyed, shown, and taken back', async () => {
  await using world = await openVersions();
  await using future = await openFuture(world);
  const [a, b] = [await world.addApache('a'), await world.addApache('b')];
  const front = await world.addFront('current');
  const watchdog = await world.watch('current', 'a');
  for (const one of [watchdog, await world.watch('current', 'b')]) await untilReady(one);
  const key = world.keys.key('a');
  const order = { by: 'ada@web9', at: null, reason: 'a disk', value: null };
  await future.etcd
    .put(`${recordKey(world.recordPrefix, key)}:drain`)
    .value(later(formatDrainOrder(order), 2));
  await untilStage(watchdog, 'over');
  await untilServed(front, b);
  const again = await world.command('current', 'drain', key, '--wait');
  expect(again).toMatchObject({ status: 0 });
  expect(again.stderr).toContain('by ada@web9 (a disk)');
  expect(await world.command('current', 'undrain', key)).toMatchObject({ status: 0 });
  await untilReady(watchdog);
  await untilServed(front, a, b);
}, 60_000);

test.each([
  [1, 'believed at once: nobody is held'],
  [2, 'not believed: they are held, as where nobody says why'],
])(
  'all its watchdogs say that they saw their backends fail, in format %i: %s',
  async (format) => {
    await using world = await openVersions();
    await using future = await openFuture(world);
    const names = ['a', 'b', 'c'];
    const apaches = [];
    for (const name of names) {
      const apache = await world.addApache(name);
      apaches.push(apache);
      await future.lease.put(world.keys.key(name)).value(apache.address);
    }
    const front = await world.addFront('current');
    await untilServed(front, ...apaches);
    const leaseId = await future.lease.grant();
    const gone = names.flatMap((name) => {
      const text = formatRecord(recordOf({ state: 'down', reason: 'connection refused' }));
      const record = recordKey(world.recordPrefix, world.keys.key(name));
      return [
        future.etcd.delete().key(world.keys.key(name)),
        future.etcd.put(record).value(later(text, format)).lease(leaseId),
      ];
    });
    await future.etcd
      .if(world.keys.key('a'), 'Create', '>', 0)
      .then(...gone)
      .commit();
    const held = format === 1 ? [] : names;
    const expected = held.map((name) => `${world.keys.key(name)} held`);
    const states = async () =>
      (await front.balancer.status()).backends.map(({ key, state }) => `${key} ${state}`);
    await waitUntil({ expected: expected.join() || 'nobody', withinMs: 8000 }, async () => {
      const now = (await states()).join();
      return now === expected.join() || now;
    });
    await untilServed(front, ...(held.length > 0 ? apaches : []));
    expect(await states()).toEqual(expected);
  },
  60_000,
);
