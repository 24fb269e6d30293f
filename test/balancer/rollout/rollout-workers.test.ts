import { expect, test } from 'vitest';
import type { NginxAnswer } from '../../../src/balancer/nginx/answer.ts';
import {
  confirmed,
  decide,
  nothingObserved,
  observe,
  type Rollout,
  rolloutTimes,
  toldOf,
} from '../../../src/balancer/rollout/rollout.ts';

const { overlapMs, confirmWithinMs, pollMs } = rolloutTimes;
const serves = (generation: string): NginxAnswer => ({ kind: 'serves', generation });
const rollout = (known: Partial<Rollout>): Rollout => ({
  ...nothingObserved,
  ...(known.answer && { lastWord: known.answer }),
  ...known,
});

/** nginx's processes: those that serve, and of which master. */
const workers = (serving: readonly number[], master = '1@1') => ({
  workers: { master, serving, leaving: [] },
});
const settledOn = (generation: string, serving: readonly number[]) =>
  confirmed(rollout({ atRest: generation, answer: serves(generation), ...workers(serving) }));

test('where its workers can be seen, it is confirmed as soon as no older one takes requests', () => {
  const before = settledOn('old', [10, 11]);
  const asked = toldOf(before, 'new', before.workers, 1000);
  const at = { atRest: 'new', answer: serves('new') };
  const overlap = observe(asked, { ...at, ...workers([10, 11, 20, 21]) }, 1005);
  expect(decide(overlap, 'new', 1005 + overlapMs)).toEqual({ kind: 'wait', forMs: pollMs });
  const alone = observe(overlap, { ...at, ...workers([20, 21]) }, 1105);
  expect(decide(alone, 'new', 1105)).toEqual({ kind: 'confirmed' });
  // And so it stays, before as much time has passed as would prove it without workers.
  expect(decide(confirmed(alone), 'new', 1110)).toEqual({ kind: 'confirmed' });
});

test('workers that were not settled before prove nothing: then time does', () => {
  const before = { ...settledOn('old', [10]), settled: false };
  const asked = toldOf(before, 'new', before.workers, 1000);
  const at = { atRest: 'new', answer: serves('new') };
  const seen = observe(asked, { ...at, ...workers([20]) }, 1010);
  expect(decide(seen, 'new', 1020)).toMatchObject({ kind: 'wait' });
  expect(decide(seen, 'new', 1010 + overlapMs)).toEqual({ kind: 'confirmed' });
});

test('a reload of what is served already may be refused: its answers count in the end', () => {
  const before = settledOn('new', [10]);
  const asked = toldOf({ ...before, atRest: 'by hand' }, 'new', before.workers, 1000);
  expect(decide(asked, 'new', 1000 + confirmWithinMs - 1)).toMatchObject({ kind: 'wait' });
  expect(decide(asked, 'new', 1000 + confirmWithinMs)).toEqual({ kind: 'confirmed' });
});

test('another master is another nginx, whatever it answers', () => {
  const before = settledOn('new', [10]);
  const at = { atRest: 'new', answer: serves('new') };
  const restarted = observe(before, { ...at, ...workers([30], '2@9') }, 1000);
  expect(decide(restarted, 'new', 1000)).toMatchObject({ kind: 'wait' });
  expect(decide(restarted, 'new', 1000 + overlapMs)).toEqual({ kind: 'confirmed' });
});

test('an nginx that was only late has not changed: what it refused is remembered', () => {
  const refusals = new Map([['new', { fingerprint: 'all of it', atMs: 0 }]]);
  const before = { ...settledOn('old', [10]), refusals };
  const late: NginxAnswer = { kind: 'late', reason: 'no answer within 500 ms' };
  const slow = observe(before, { atRest: 'old', answer: late, ...workers([10]) }, 1000);
  const back = observe(slow, { atRest: 'old', answer: serves('old'), ...workers([10]) }, 1500);
  expect(back).toMatchObject({ refusals, settled: true, answeredSinceMs: 1500 });
  const changed = observe(slow, { atRest: 'old', answer: serves('older'), ...workers([10]) }, 1500);
  expect(changed.refusals.size).toBe(0);
});
