import { afterEach, expect, test } from 'vitest';
import { balancing, stopBalancing } from '../support/balancing.ts';

afterEach(stopBalancing);

test('while nothing is known nothing is changed', async () => {
  const { clock, world, turns } = balancing({ away: true });
  await clock.advance(60_000);
  expect(world).toMatchObject({ onDisk: 'none', reloads: 0 });
  expect(turns.at(-1)?.target).toBeUndefined();
});

test('a start that finds all as it should be changes nothing', async () => {
  const { clock, world, decision } = balancing();
  Object.assign(world, { onDisk: 'nobody', served: 'nobody' });
  await clock.advance(1000);
  expect(world).toMatchObject({ reloads: 0, checks: 0 });
  expect(decision()).toBe('confirmed');
});

test('a change in etcd is served and confirmed, with one reload', async () => {
  const { clock, world, put, decision } = balancing();
  await clock.advance(1000);
  expect(world).toMatchObject({ served: 'nobody', reloads: 1 });
  put('a', 8001);
  await clock.advance(201);
  expect(world).toMatchObject({ served: 'a', reloads: 2 });
  expect(decision()).toBe('wait');
  await clock.advance(320);
  expect(decision()).toBe('confirmed');
  await clock.advance(10_000);
  expect(world.reloads).toBe(2);
});

test('of changes that come while a reload runs the newest is served', async () => {
  const { clock, world, put, decision } = balancing();
  await clock.advance(1000);
  for (const [name, port] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const) {
    put(name, port);
    await clock.advance(5);
  }
  await clock.advance(1000);
  expect(world).toMatchObject({ onDisk: 'abc', served: 'abc' });
  expect(decision()).toBe('confirmed');
});

test('a file that is changed by hand is put right within a tick', async () => {
  const { clock, world, put } = balancing();
  put('a', 8001);
  await clock.advance(1000);
  world.onDisk = 'by hand';
  await clock.advance(600);
  expect(world).toMatchObject({ onDisk: 'a', served: 'a' });
});

test('once: ends well when it is confirmed', async () => {
  const { clock, ended, world, put } = balancing({ once: true });
  put('a', 8001);
  await clock.advance(2000);
  expect(await ended).toEqual({ ok: true });
  expect(world.served).toBe('a');
});

test('once: ends with the reason when nginx refuses, or etcd does not answer', async () => {
  const refused = balancing({ once: true });
  refused.world.refuses = 'nobody';
  await refused.clock.advance(2000);
  expect(await refused.ended).toEqual({ ok: false, reason: 'unknown directive "nobody"' });
  const alone = balancing({ once: true, away: true });
  await alone.clock.advance(10_000);
  expect(await alone.ended).toEqual({ ok: false, reason: 'etcd is away' });
});

test('a reload that nginx does not take is tried again, with no event', async () => {
  const { clock, world, put, decision } = balancing();
  put('a', 8001);
  await clock.advance(1000);
  world.takes = false;
  put('b', 8002);
  await clock.advance(6000);
  expect(world).toMatchObject({ onDisk: 'a', served: 'a' });
  world.takes = true;
  await clock.advance(8000);
  expect(world.served).toBe('ab');
  await clock.advance(1000);
  expect(decision()).toBe('confirmed');
});

test('a storm of changes: reloads are bounded by time, removals go first', async () => {
  const { clock, store, world, put } = balancing();
  for (let n = 0; n < 20; n += 1) put(`k${n}`, 9000 + n);
  await clock.advance(5000);
  const { reloads } = world;
  for (let n = 0; n < 300; n += 1) {
    const k = Math.floor(n / 2) % 20;
    if (n % 2 === 0) store.delete(`/test/k${k}`);
    else put(`k${k}`, 9000 + k);
    await clock.advance(50);
  }
  expect(world.reloads - reloads).toBeLessThanOrEqual(10 + 15_000 / 500);
  expect(world.reloads - reloads).toBeGreaterThan(20);
  await clock.advance(5000);
  store.delete('/test/k3');
  await clock.advance(170);
  expect(world.served).not.toContain('k3');
});

test('stopped while nginx is being asked: nothing is swapped or reloaded any more', async () => {
  const { clock, world, put, ended } = balancing();
  put('a', 8001);
  await clock.advance(1000);
  const { reloads } = world;
  world.answerMs = 400;
  await clock.advance(700);
  stopBalancing();
  await clock.advance(1000);
  await ended;
  expect(world.reloads).toBe(reloads);
});
