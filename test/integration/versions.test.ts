/**
 * The earlier release beside the current one, on real parts: neither asks the other to be upgraded first, and
 * each of the two processes of a machine is upgraded in place.
 */
import { expect, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import {
  confirmedText,
  stopped,
  untilReady,
  untilStage,
  untilTold,
} from '../support/drained-site.ts';
import {
  openVersions,
  type ReleaseName,
  releases,
  untilGone,
  untilServed,
  whoIs,
} from './versions-world.ts';

const skewed = [
  ['earlier', 'current'],
  ['current', 'earlier'],
] as const satisfies readonly (readonly [ReleaseName, ReleaseName])[];

test.each(skewed)(
  'a watchdog of the %s release and a balancer of the %s: in rotation, out when apache dies, back, drained',
  async (watchdogs, balancers) => {
    await using world = await openVersions();
    const [stays, other] = [await world.addApache('stays'), await world.addApache('other')];
    const front = await world.addFront(balancers);
    const watching = [await world.watch(watchdogs, 'stays'), await world.watch(watchdogs, 'other')];
    for (const one of watching) await untilReady(one);
    await untilServed(front, stays, other);

    await other.kill();
    await untilGone(world, 'other');
    await untilServed(front, stays);
    await other.start();
    await untilServed(front, stays, other);

    const client = world.askAllAlong(front);
    await client.ask(5);
    const [, leaves] = watching;
    if (!leaves) throw new Error('nobody leaves');
    const { code, last, confirmed } = await stopped(leaves);
    expect([code, last.msg, confirmed]).toEqual([0, confirmedText, [whoIs(front.balancer)]]);
    await other.kill();
    await client.ask(20);
    expect(client.failures()).toEqual([]);
    await untilServed(front, stays);
  },
  60_000,
);

test.each(skewed)(
  'watchdogs of the %s release and a balancer of the %s obey the commands of either: drain, undrain, wait',
  async (watchdogs, balancers) => {
    await using world = await openVersions();
    const [a, b] = [await world.addApache('a'), await world.addApache('b')];
    const front = await world.addFront(balancers);
    const watchdog = await world.watch(watchdogs, 'a');
    await untilReady(watchdog);
    await untilReady(await world.watch(watchdogs, 'b'));
    const key = world.keys.key('a');
    const balancer = `confirmed by 1 balancer: ${whoIs(front.balancer)}`;
    for (const [by, back] of [releases, releases.toReversed()] as const) {
      const drained = await world.command(by, 'drain', key, '--wait', '--reason', 'a disk');
      expect(drained).toMatchObject({ status: 0, stdout: `${key} is drained: ${balancer}\n` });
      await untilServed(front, b);
      await untilStage(watchdog, 'over');
      const waited = await world.command(back, 'wait', key, '--in-rotation', '--timeout', '1s');
      expect([waited.status, waited.stderr]).toEqual([3, expect.stringContaining('(a disk)')]);
      expect(await world.command(back, 'undrain', key)).toMatchObject({ status: 0 });
      const rotation = await world.command(by, 'wait', key, '--in-rotation', '--timeout', '20s');
      expect([rotation.status, rotation.stdout]).toEqual([0, expect.stringContaining(balancer)]);
      await untilServed(front, a, b);
    }
  },
  90_000,
);

test('a key by hand that one release took away is put back by the other, as it was', async () => {
  await using world = await openVersions();
  const value = '{"address":"127.0.0.1:8001","weight":7,"meta":{"zone":"a"}}';
  await world.keys.put('stays', '127.0.0.1:8002');
  await world.keys.put('a', value);
  const key = world.keys.key('a');
  for (const [by, back] of skewed) {
    expect(await world.command(by, 'drain', key)).toMatchObject({ status: 0 });
    expect(await world.keys.read('a')).toBeUndefined();
    expect(await world.command(back, 'undrain', key)).toMatchObject({ status: 0 });
    expect((await world.keys.read('a'))?.value.toString()).toBe(value);
  }
});

test('balancers of both releases on one prefix: a watchdog of either waits for both', async () => {
  await using world = await openVersions();
  const stays = await world.addApache('stays');
  const fronts = [await world.addFront('earlier'), await world.addFront('current')] as const;
  await untilReady(await world.watch('current', 'stays'));
  const client = world.askAllAlong(...fronts);
  for (const of of releases) {
    const apache = await world.addApache(of);
    const watchdog = await world.watch(of, of);
    await untilReady(watchdog);
    const all = fronts.map(({ balancer }) => whoIs(balancer)).toSorted();
    expect([...(await watchdog.status()).servedBy].toSorted()).toEqual(all);
    for (const front of fronts) await untilServed(front, stays, apache);

    // The one that lags is waited for, whichever it is.
    const lagging = fronts[releases.indexOf(of)]?.balancer;
    await lagging?.freeze();
    const stops = stopped(watchdog);
    const told = await untilTold(watchdog, 'waiting for');
    expect(told.msg).toContain(lagging && whoIs(lagging));
    lagging?.resume();
    const { code, last, confirmed } = await stops;
    expect([code, last.msg, confirmed]).toEqual([0, confirmedText, all]);
    await apache.kill();
    await client.ask(10);
  }
  expect(client.failures()).toEqual([]);
}, 90_000);

test.each(skewed)(
  'a watchdog of the %s release is killed and one of the %s is started: no gap',
  async (before, after) => {
    await using world = await openVersions();
    const apache = await world.addApache('a');
    const front = await world.addFront('current');
    const old = await world.watch(before, 'a');
    await untilReady(old);
    await untilServed(front, apache);
    const client = world.askAllAlong(front);
    const instance = (await old.status()).instance;
    await old.kill();
    const next = await world.watch(after, 'a');
    await untilReady(next);
    expect((await next.status()).instance).not.toBe(instance);
    await client.ask(20);
    // Overwritten where it lay: it never went.
    const happened = await world.keys.history();
    expect(happened.map(({ kind, value }) => `${kind} ${value}`)).toEqual(
      happened.map(() => `put ${apache.address}`),
    );
    expect(client.failures()).toEqual([]);
  },
  60_000,
);

test.each(skewed)(
  'a balancer of the %s release is replaced by one of the %s on the same directory: nginx never notices',
  async (before, after) => {
    await using etcd = await startEtcd();
    await using world = await openVersions(etcd.url);
    const [a, b] = [await world.addApache('a'), await world.addApache('b')];
    const front = await world.addFront(before);
    for (const name of ['a', 'b']) await untilReady(await world.watch('current', name));
    await untilServed(front, a, b);
    const client = world.askAllAlong(front);
    await client.ask(5);
    const { pid } = front.nginx;
    await front.balancer.stop();
    // Nothing but what the other release left on the disk says what the pool is.
    await etcd.stop();
    await world.balance(after, front);
    await untilServed(front, a, b);
    expect((await front.balancer.status()).services[0]?.source).toBe('disk');
    await etcd.start();
    await untilServed(front, a, b);
    // A change reaches nginx by the new one.
    await b.kill();
    await untilServed(front, a);
    await client.ask(10);
    expect(front.nginx.pid).toBe(pid);
    expect(client.failures()).toEqual([]);
  },
  60_000,
);
