/** `rollcall drain` and `rollcall undrain`, on a real etcd: what they write, and what they refuse. */
import { expect, inject, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { placesOf } from '../../src/operator/look.ts';
import { orderDrain } from '../../src/operator/order.ts';
import { EtcdEndpoints } from '../../src/registry/etcd/endpoints.ts';
import { etcdLeases } from '../../src/registry/etcd/leases.ts';
import { openCommandWorld } from './drain-command-world.ts';

const open = () => openCommandWorld(inject('etcdUrl'));
const refused = (...says: readonly string[]) => ({
  ...{ status: 1, stdout: '' },
  stderr: expect.stringMatching(
    new RegExp(`^${says.map((one) => `(?=.*${one})`).join('')}rollcall: .+\\n$`),
  ) as unknown,
});

test('a key by hand is drained at one revision, and put back as it was', async () => {
  await using world = await open();
  const { keys, run } = world;
  const value = '{"address":"127.0.0.1:8001","weight":5}\n';
  await keys.put('a', value);
  await keys.put('b', '127.0.0.1:8002');

  const drained = await run(['drain', keys.key('a'), '--reason', 'new kernel']);
  expect(drained).toMatchObject({ status: 0, stderr: '' });
  expect(drained.stdout).toContain('put by hand, is deleted');
  expect(await keys.read('a')).toBeUndefined();
  expect(await world.order('a')).toMatchObject({
    by: expect.stringMatching(/^.+@.+$/) as unknown,
    at: expect.stringMatching(/^20.+Z$/) as unknown,
    ...{ reason: 'new kernel', value },
  });

  const again = await run(['drain', keys.key('a')]);
  expect(again).toMatchObject({ status: 0, stderr: '' });
  expect(again.stdout).toMatch(/drained already, since 20.+ by .+@.+ \(new kernel\)/);

  expect((await run(['undrain', keys.key('a')])).stdout).toContain('put back as it was');
  const back = await keys.read('a');
  expect(back?.value.toString()).toBe(value);
  expect(back?.lease).toBe('0');
  expect(await world.order('a')).toBeUndefined();
  expect(await run(['undrain', keys.key('a')])).toMatchObject({
    ...{ status: 0, stderr: '' },
    stdout: `${keys.key('a')}: it is not drained: nothing was changed\n`,
  });
});

test('a key that was put again in between is not overwritten when the order goes', async () => {
  await using world = await open();
  const { keys, run } = world;
  await keys.put('a', '127.0.0.1:8001');
  await keys.put('b', '127.0.0.1:8002');
  await run(['drain', keys.key('a')]);
  await keys.put('a', '127.0.0.1:9999');
  expect((await run(['undrain', keys.key('a')])).stdout).toContain('stays as it is');
  expect((await keys.read('a'))?.value.toString()).toBe('127.0.0.1:9999');
  expect(await world.order('a')).toBeUndefined();
});

test('the key of a watchdog is left to it', async () => {
  await using world = await open();
  const { keys, run } = world;
  await world.holds('a');
  await keys.put('b', '127.0.0.1:8002');
  const { status, stdout } = await run(['drain'], { env: { ROLLCALL_KEY: keys.key('a') } });
  expect(status).toBe(0);
  expect(stdout).toContain('its watchdog on web1 (pid 42) takes its key away');
  expect(await keys.read('a')).toBeDefined();
  expect(await world.order('a')).toMatchObject({ value: null });
});

test('the last one is refused, and by force it is drained', async () => {
  await using world = await open();
  const { keys, run } = world;
  await keys.put('a', '127.0.0.1:8001');
  await keys.put('b', 'no backend');
  expect(await run(['drain', keys.key('a')])).toEqual(refused('last', '503', '--force'));
  expect(await world.order('a')).toBeUndefined();
  expect(await keys.read('a')).toBeDefined();
  expect(await run(['drain', keys.key('a'), '--force'])).toMatchObject({ status: 0 });
  expect(await keys.read('a')).toBeUndefined();
});

test('a key of which nothing is known is refused, with the nearest that are there', async () => {
  await using world = await open();
  const { keys, run } = world;
  for (const n of [1, 2, 3, 4, 5, 6]) await keys.put(`apache-800${n}`, `127.0.0.1:800${n}`);
  const meant = keys.key('apache-8012');
  const nearest = `${keys.key('apache-8002')}, ${keys.key('apache-8001')}, ${keys.key('apache-8003')}`;
  const ran = await run(['drain', meant]);
  expect(ran).toEqual(refused('nothing is known', nearest, '--force'));
  expect(ran.stderr).not.toContain('apache-8006');
  expect(await world.order('apache-8012')).toBeUndefined();
  expect(await run(['drain', meant, '--force'])).toMatchObject({ status: 0 });
  expect(await world.order('apache-8012')).toBeDefined();
});

test('two drains of the last two at the same time: one of them is refused', async () => {
  await using world = await open();
  const { keys, run } = world;
  for (let round = 0; round < 5; round += 1) {
    await keys.put('a', '127.0.0.1:8001');
    await keys.put('b', '127.0.0.1:8002');
    const both = await Promise.all(['a', 'b'].map((name) => run(['drain', keys.key(name)])));
    expect(both.map(({ status }) => `${status}`).toSorted()).toEqual(['0', '1']);
    const left = await Promise.all(['a', 'b'].map((name) => keys.read(name)));
    expect(left.filter((one) => one !== undefined)).toHaveLength(1);
    for (const name of ['a', 'b']) await world.takeBack(name);
  }
});

test('nor at the same millisecond, round after round', async () => {
  await using world = await open();
  const { keys, recordPrefix } = world;
  await using endpoints = new EtcdEndpoints([inject('etcdUrl')], systemClock, () => 0);
  using store = etcdLeases(endpoints, systemClock);
  const never = new AbortController().signal;
  const asked = { by: 'me@here', at: '2026-01-31T12:00:00.000Z', reason: null, force: false };
  for (let round = 0; round < 20; round += 1) {
    await Promise.all([keys.put('a', '127.0.0.1:8001'), keys.put('b', '127.0.0.1:8002')]);
    const both = await Promise.all(
      ['a', 'b'].map((name) => {
        const at = { places: placesOf(recordPrefix, keys.key(name)), recordPrefix };
        return orderDrain(store, at, { ...asked, by: name }, never);
      }),
    );
    expect(both.map(({ plan }) => plan.kind).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      ...['last', 'write'],
    ]);
    for (const name of ['a', 'b']) await world.takeBack(name);
  }
});

test('etcd cannot be reached: it failed, and says where', async () => {
  await using etcd = await startEtcd();
  await using world = await openCommandWorld(etcd.url);
  await etcd.freeze();
  const ran = await world.run(['drain', world.keys.key('a')]);
  etcd.resume();
  expect(ran).toEqual(refused('etcd read at', 'no answer'));
});
