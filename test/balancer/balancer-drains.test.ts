import { afterEach, expect, test } from 'vitest';
import { foldSaid, nothingSaid } from '../../src/balancer/said.ts';
import { drainOrderKey } from '../../src/registry/drain-order.ts';
import { recordKey, type WatchdogRecord } from '../../src/registry/record.ts';
import { balancing, stopBalancing } from '../support/balancing.ts';
import { recordOf } from '../support/builders.ts';

afterEach(stopBalancing);

const drain = { by: 'operator', since: '2026-01-01T00:00:00.000Z' };

async function three() {
  const world = balancing();
  for (const [n, name] of ['a', 'b', 'c'].entries()) world.put(name, 8001 + n);
  await world.clock.advance(2000);
  expect(world.world.served).toBe('abc');
  const record = (name: string, rest: Partial<WatchdogRecord>) =>
    world.store.put(recordKey('/rollcall', `/test/${name}`), JSON.stringify(recordOf(rest)), '7');
  return {
    ...world,
    record,
    lose: (name: string) => world.store.delete(`/test/${name}`),
    /** What is acknowledged, folded over all turns so far. */
    said: () =>
      world.turns.reduce((said, turn) => foldSaid(said, turn, 0), nothingSaid).services[0]
        ?.revision ?? 0,
  };
}

test('drained one after the other: nobody is held, and each is acknowledged as soon as it is served', async () => {
  const { clock, world, lose, record, said } = await three();
  for (const [name, served] of [
    ['a', 'bc'],
    ['b', 'c'],
  ] as const) {
    const before = said();
    lose(name);
    record(name, { drain });
    await clock.advance(600);
    expect(world.served).toBe(served);
    expect(said()).toBeGreaterThan(before);
  }
});

test('an unexplained loss leaves nginx at once, and is acknowledged after its window, with no other change', async () => {
  const { clock, world, lose, said } = await three();
  const before = said();
  lose('a');
  const { reloads } = world;
  await clock.advance(1900);
  expect(world.served).toBe('bc');
  expect(said()).toBe(before);
  await clock.advance(700);
  expect(said()).toBe(before + 1);
  expect(world.reloads).toBe(reloads + 1);
});

test('a drain of a key that was gone before is acknowledged soon, and without a reload', async () => {
  const { clock, world, lose, record, said } = await three();
  lose('a');
  await clock.advance(3000);
  const before = said();
  const { reloads } = world;
  record('a', { drain });
  await clock.advance(300);
  expect(said()).toBe(before + 1);
  expect(world.reloads).toBe(reloads);
});

test('an order explains that many go at once', async () => {
  const { clock, store, world, lose } = await three();
  for (const name of ['a', 'b', 'c']) store.put(drainOrderKey('/rollcall', `/test/${name}`), 'go');
  await clock.advance(5000);
  expect(world.served).toBe('abc');
  for (const name of ['a', 'b', 'c']) lose(name);
  await clock.advance(600);
  expect(world.served).toBe('nobody');
});
