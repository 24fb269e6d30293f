import { expect, test } from 'vitest';
import type { Look } from '../../src/operator/look.ts';
import { type Step, waitFor } from '../../src/operator/waiting.ts';
import { fakeLeaseStore } from '../support/fake-lease-store.ts';
import { never, virtualClock } from '../support/virtual-clock.ts';
import { places } from './looks.ts';

function waiting(judge: (look: Look, nth: number) => Step, timeoutMs = 10_000, signal = never) {
  const store = fakeLeaseStore();
  const clock = virtualClock();
  const said: string[] = [];
  const looks: number[] = [];
  const deps = { store, clock, places, random: () => 0, say: (line: string) => said.push(line) };
  const waited = waitFor(
    {
      ...deps,
      say: (line) => void said.push(line),
      judge: (look) => {
        looks.push(clock.now());
        return judge(look, looks.length);
      },
    },
    timeoutMs,
    signal,
  );
  return { store, clock, said, looks, waited };
}

const pending = (...lines: readonly string[]): Step => ({ kind: 'pending', lines });
const done: Step = { kind: 'done', words: 'done' };

test('it looks every second, and says only what is new', async () => {
  const steps = [pending('a'), pending('a'), pending('a', 'b'), pending('b'), done];
  const { clock, said, looks, waited } = waiting((_, nth) => steps[nth - 1] ?? done);
  await clock.advance(4000);
  expect(await waited).toEqual(done);
  expect(looks.map((at) => at - (looks[0] ?? 0))).toEqual([0, 1000, 2000, 3000, 4000]);
  expect(said).toEqual(['a', 'b']);
});

test('what can never be so ends it', async () => {
  const failed: Step = { kind: 'failed', words: 'never' };
  const { clock, waited } = waiting((_, nth) => (nth > 1 ? failed : pending('a')));
  await clock.advance(1000);
  expect(await waited).toEqual(failed);
});

test('a change in etcd is looked at at once, wherever it is', async () => {
  const { key, recordKey, orderKey, balancers } = places;
  const { store, clock, looks } = waiting(() => pending('a'));
  await clock.advance(100);
  const changed = [key, recordKey, orderKey, `${balancers}/one`];
  for (const [n, one] of changed.entries()) {
    store.put(one, '');
    await clock.advance(1);
    expect(looks).toHaveLength(n + 2);
  }
  store.put('/elsewhere', '');
  await clock.advance(1);
  expect(looks).toHaveLength(changed.length + 1);
});

test('the time is up: what is in the way then is told', async () => {
  const { clock, waited } = waiting((_, nth) => pending(`${nth}`), 2500);
  await clock.advance(2500);
  expect(await waited).toEqual({ kind: 'late', lines: ['4'] });
});

test('etcd does not answer: told once, and tried again', async () => {
  const { store, clock, said, waited } = waiting((_, nth) => (nth > 1 ? done : pending('a')));
  let fails = true;
  await clock.advance(10);
  store.beforeAnswer = async () => {
    if (fails) throw new Error('no answer');
  };
  await clock.advance(3500);
  expect(said).toEqual(['a', 'etcd does not answer as it should: no answer']);
  fails = false;
  await clock.advance(1000);
  expect(await waited).toEqual(done);
});

test('what is to be written is written, and looked at at once', async () => {
  const seen: (number | undefined)[] = [];
  const write = (modRevision: number): Step => ({
    kind: 'write',
    guards: [{ key: places.orderKey, modRevision }],
    writes: [{ kind: 'put', key: places.orderKey, value: '', leaseId: '0' }],
    onWritten: (revision) => seen.push(revision),
  });
  const steps = [write(99), write(0), done];
  const { clock, waited } = waiting((_, nth) => steps[nth - 1] ?? done);
  await clock.advance(10);
  expect(await waited).toEqual(done);
  expect(seen).toEqual([11]);
});

test('who is told to stop stops, and what it watched is let go', async () => {
  const stop = new AbortController();
  const { clock, looks, waited } = waiting(() => pending('a'), 10_000, stop.signal);
  await clock.advance(100);
  stop.abort('SIGINT');
  expect(await waited).toEqual({ kind: 'stopped' });
  expect(looks).toHaveLength(1);
});
