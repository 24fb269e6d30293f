import { afterEach, expect, test } from 'vitest';
import { balancing, stopBalancing } from '../support/balancing.ts';

afterEach(stopBalancing);

test('a backend that the template fails on is quarantined, and the others go on', async () => {
  const { clock, store, world, quarantined, put, decision, turns } = balancing();
  put('a', 8001);
  await clock.advance(1000);
  put('X', 8009);
  put('b', 8002);
  await clock.advance(2000);
  expect(world).toMatchObject({ onDisk: 'ab', served: 'ab' });
  expect(quarantined()).toEqual(['/test/X']);
  expect(turns.at(-1)?.quarantine.get('/test/X')?.reason).toContain('line:28');
  expect(decision()).toBe('confirmed');
  store.delete('/test/X');
  await clock.advance(1000);
  expect(quarantined()).toEqual([]);
});

test('a template that fails on any pool: nobody is quarantined, nothing is changed', async () => {
  const { clock, world, quarantined, turns, put } = balancing({ broken: true });
  put('a', 8001);
  await clock.advance(60_000);
  expect(world).toMatchObject({ onDisk: 'none', reloads: 0 });
  expect(quarantined()).toEqual([]);
  expect(turns.at(-1)?.draft).toMatchObject({
    ok: false,
    fault: expect.stringContaining('line:28'),
  });
});

test('a backend that nginx refuses is found, set aside, and tried again later', async () => {
  const { clock, world, quarantined, put } = balancing();
  world.refuses = 'bad';
  for (const [n, name] of ['a', 'bad', 'c', 'd'].entries()) put(name, 8001 + n);
  await clock.advance(2000);
  expect(world).toMatchObject({ onDisk: 'acd', served: 'acd' });
  expect(quarantined()).toEqual(['/test/bad']);
  const { checks } = world;
  await clock.advance(25_000);
  expect(world.checks).toBe(checks);

  await clock.advance(60_000);
  expect(world.checks).toBeGreaterThan(checks);
  expect(quarantined()).toEqual(['/test/bad']);
  world.refuses = 'nothing';
  await clock.advance(200_000);
  expect(world.served).toBe('abadcd');
  expect(quarantined()).toEqual([]);
});

test('while one is quarantined, a removal is served at once', async () => {
  const { clock, store, world, put } = balancing();
  world.refuses = 'bad';
  for (const [n, name] of ['a', 'bad', 'c', 'd'].entries()) put(name, 8001 + n);
  await clock.advance(2000);
  store.delete('/test/c');
  await clock.advance(160);
  expect(world.served).toBe('ad');
});

test('once: a file that nginx refused for one backend is applied without it', async () => {
  const { clock, world, put, ended } = balancing({ once: true });
  world.refuses = 'bad';
  for (const [n, name] of ['a', 'bad', 'c'].entries()) put(name, 8001 + n);
  await clock.advance(3000);
  expect(await ended).toEqual({ ok: true });
  expect(world.served).toBe('ac');
});
