import { afterEach, expect, test } from 'vitest';
import { runBalancer, type Turn } from '../../src/balancer/balancer.ts';
import type { NginxAnswer } from '../../src/balancer/rollout/rollout.ts';
import type { Backend } from '../../src/registry/backend.ts';
import { fakePrefixStore } from '../support/fake-prefix-store.ts';
import { virtualClock } from '../support/virtual-clock.ts';

let stop = new AbortController();
afterEach(() => stop.abort());

/** The generation of a pool is its names: nginx serving "ab" serves a and b. */
const render = (backends: readonly Backend[]) => {
  const generation = backends.map(({ name }) => name).join('') || 'nobody';
  if (generation.includes('X')) throw new Error('undefined variable: backend.adress, line:28');
  return { generation, text: `# ${generation}` };
};

/** A balancer between a fake etcd and an nginx that takes every reload after 100 ms. */
function balancing({ once = false, away = false } = {}) {
  stop = new AbortController();
  const clock = virtualClock();
  const store = fakePrefixStore();
  store.away = away;
  const world = {
    ...{ asking: 0, mostAsking: 0 },
    answerMs: 0,
    staged: '',
    onDisk: 'none',
    served: 'none',
    refuses: '',
    reloads: 0,
  };
  const turns: Turn[] = [];
  const ended = runBalancer(
    {
      prefix: '/test',
      ...{ store, render, clock, random: () => 0 },
      file: {
        stagedPath: '/staged',
        generation: async () => world.onDisk,
        text: async () => undefined,
        stage: async (text) => void (world.staged = text.slice(2)),
        discard: async () => void (world.staged = ''),
        commit: async () => void (world.onDisk = world.staged),
        restore: async () => false,
      },
      nginx: {
        check: async () => world.refuses || undefined,
        reload: async () => {
          world.reloads += 1;
          void clock.sleep(100).then(() => (world.served = world.onDisk));
          return undefined;
        },
        answer: async (signal): Promise<NginxAnswer> => {
          await clock.sleep(world.answerMs, signal);
          if (signal.aborted) return { kind: 'silent', reason: 'aborted' };
          return { kind: 'serves', generation: world.served };
        },
      },
      ask: async (address) => {
        world.asking += 1;
        world.mostAsking = Math.max(world.mostAsking, world.asking);
        await clock.sleep(10);
        world.asking -= 1;
        return address !== '127.0.0.1:8002';
      },
      onTurn: (turn) => turns.push(turn),
    },
    { once },
    stop.signal,
  );
  const put = (name: string, port: number) => store.put(`/test/${name}`, `127.0.0.1:${port}`);
  return { clock, store, world, turns, ended, put, decision: () => turns.at(-1)?.decision.kind };
}

test('while nothing is known nothing is changed', async () => {
  const { clock, world, turns } = balancing({ away: true });
  await clock.advance(60_000);
  expect(world).toMatchObject({ onDisk: 'none', reloads: 0 });
  expect(turns.at(-1)?.wanted).toBeUndefined();
});

test('a change in etcd is served and confirmed, with one reload', async () => {
  const { clock, world, put, decision } = balancing();
  await clock.advance(1000);
  expect(world).toMatchObject({ served: 'nobody', reloads: 1 });
  put('a', 8001);
  await clock.advance(101);
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

test('etcd away: the last good pool stands, without a reload', async () => {
  const { clock, store, world, put } = balancing();
  put('a', 8001);
  await clock.advance(1000);
  const { reloads } = world;
  store.away = true;
  store.cut('connection refused');
  await clock.advance(600_000);
  expect(world).toMatchObject({ served: 'a', reloads });
});

test('etcd wiped: its backends are held while they answer, and go after the hold', async () => {
  const { clock, store, world, put } = balancing();
  put('a', 8001);
  put('b', 8002);
  await clock.advance(1000);
  store.wipe();
  await clock.advance(5000);
  expect(world.served).toBe('a');
  await clock.advance(15_000);
  expect(world.served).toBe('nobody');
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
  refused.world.refuses = 'unknown directive "x"';
  await refused.clock.advance(2000);
  expect(await refused.ended).toEqual({
    ...{ ok: false, reason: 'nginx refuses the file: unknown directive "x"' },
  });
  const alone = balancing({ once: true, away: true });
  await alone.clock.advance(10_000);
  expect(await alone.ended).toEqual({ ok: false, reason: 'etcd is away' });
});

test('a template that fails on a later pool: the last good one stands, and it is said', async () => {
  const { clock, store, world, turns, put, decision } = balancing();
  put('a', 8001);
  await clock.advance(1000);
  put('X', 8009);
  await clock.advance(60_000);
  expect(world).toMatchObject({ onDisk: 'a', served: 'a' });
  expect(turns.at(-1)?.templateFault).toContain('line:28');
  store.delete('/test/X');
  await clock.advance(1000);
  expect(turns.at(-1)?.templateFault).toBeUndefined();
  expect(decision()).toBe('confirmed');
});

test('stopped while nginx is being asked: nothing is swapped or reloaded any more', async () => {
  const { clock, world, put, ended } = balancing();
  put('a', 8001);
  await clock.advance(1000);
  const { reloads } = world;
  world.answerMs = 400;
  await clock.advance(700);
  stop.abort();
  await clock.advance(1000);
  await ended;
  expect(world.reloads).toBe(reloads);
});

test('thousands held at once are asked a few at a time, and none goes unasked', async () => {
  const { clock, store, world, turns, put } = balancing();
  for (let n = 0; n < 1000; n += 1) put(`apache-${n}`, 9000 + n);
  await clock.advance(1000);
  store.wipe();
  await clock.advance(9000);
  expect(world.mostAsking).toBe(64);
  const absent = [...(turns.at(-1)?.roster.absent.values() ?? [])];
  expect(absent).toHaveLength(1000);
  expect(absent.every(({ answers }) => answers)).toBe(true);
});
