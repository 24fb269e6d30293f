import { expect, test } from 'vitest';
import { apply } from '../../../src/balancer/rollout/apply.ts';
import type { LoadTrace } from '../../../src/balancer/nginx/error-log.ts';
import type { Delivered } from '../../../src/balancer/rollout/delivery.ts';
import { isRefused } from '../../../src/balancer/rollout/refusals.ts';
import { failed, nothingObserved, type Rollout } from '../../../src/balancer/rollout/rollout.ts';
import { never, virtualClock } from '../../support/virtual-clock.ts';

const rendered = { generation: 'new', configuration: 'c', text: '# new' };
const servesOld: Rollout = {
  ...nothingObserved,
  ...{ atRest: 'old', answer: { kind: 'serves', generation: 'old' } },
};
const deps = { clock: virtualClock(), random: () => 1 };

/** A way that has this outcome, and writes down what it is asked. */
function way(
  outcome: Delivered = { kind: 'told', before: undefined },
  trace: LoadTrace = { kind: 'refused', words: 'host not found' },
) {
  const asked: string[] = [];
  return {
    asked,
    faultOf: async () => undefined,
    deliver: async ({ generation }: typeof rendered) => {
      asked.push(`deliver ${generation}`);
      return outcome;
    },
    takeBack: async (served: string | undefined) => {
      asked.push(`take back to ${served}`);
      const words = '; the file that it serves is back in place';
      return { fingerprint: 'all of it', trace, words };
    },
  };
}

test('what was delivered is told, and not confirmed', async () => {
  const before = { master: '1@1', serving: [10], leaving: [] };
  const from = { ...servesOld, settled: true };
  const told = way({ kind: 'told', before });
  const after = await apply({ kind: 'deliver' }, from, rendered, told, deps, never);
  expect(after).toMatchObject({
    ...{ atRest: 'new', settled: false, failure: undefined },
    told: { generation: 'new', before: [10] },
  });
});

test.each([
  ['check', false, 'old'],
  ['swap', false, 'old'],
  ['reload', true, 'new'],
] as const)('a failed %s is a value with its reason', async (step, atRest, holds) => {
  const outcome = { kind: 'failed', step, reason: 'the disk is full', atRest } as const;
  const after = await apply({ kind: 'deliver' }, servesOld, rendered, way(outcome), deps, never);
  expect(after).toMatchObject({
    ...{ atRest: holds, told: undefined },
    failure: { step, generation: 'new', attempts: 1, reason: 'the disk is full' },
  });
});

const givenUp = { kind: 'give up', reason: 'nginx did not serve new' } as const;

test('what nginx did not take is taken back, remembered, and its try put off', async () => {
  const taken = way();
  const after = await apply(givenUp, servesOld, rendered, taken, deps, never);
  expect(taken.asked).toEqual(['take back to old']);
  expect(after.failure).toMatchObject({
    step: 'confirm',
    reason:
      'nginx refuses to load it: host not found; nginx did not serve new; ' +
      'the file that it serves is back in place',
  });
  expect(isRefused(after.refusals, 'new', 'all of it', 0)).toBe(true);
});

const told = { kind: 'told', before: undefined } as const;

test('where nginx says in its log what it refuses, and says nothing, the word was lost', async () => {
  const lost = way(told, { kind: 'no trace' });
  const after = await apply(givenUp, servesOld, rendered, lost, deps, never);
  expect(after.failure).toMatchObject({ step: 'reload', attempts: 1 });
  expect(after.refusals.size).toBe(0);
});

test('where its log cannot be read, only the second time is taken for a refusal', async () => {
  const unread = way(told, { kind: 'unknown' });
  const once = await apply(givenUp, servesOld, rendered, unread, deps, never);
  expect(once.failure).toMatchObject({ step: 'confirm', attempts: 1 });
  expect(once.refusals.size).toBe(0);
  const twice = await apply(givenUp, once, rendered, unread, deps, never);
  expect(isRefused(twice.refusals, 'new', 'all of it', 0)).toBe(true);
});

test('a silent nginx has refused nothing', async () => {
  const after = await apply(givenUp, nothingObserved, rendered, way(), deps, never);
  expect(after.refusals.size).toBe(0);
});

test('what is unchanged since nginx refused it waits longer, with the reason of then', async () => {
  const failure = { generation: 'new', step: 'confirm', reason: 'still serves old' } as const;
  const before = failed(servesOld, failure, 0, () => 1);
  const same = way({ kind: 'unchanged' });
  const after = await apply({ kind: 'deliver' }, before, rendered, same, deps, never);
  expect(after).toMatchObject({
    ...{ atRest: 'old', told: undefined },
    failure: { attempts: 2, reason: 'still serves old' },
  });
});

test('a wait changes nothing, a confirmation ends what was told', async () => {
  const idle = way();
  const wait = { kind: 'wait', forMs: 20 } as const;
  expect(await apply(wait, servesOld, rendered, idle, deps, never)).toBe(servesOld);
  const after = await apply({ kind: 'confirmed' }, servesOld, rendered, idle, deps, never);
  expect(after).toMatchObject({ told: undefined, settled: true, failure: undefined });
  expect(idle.asked).toEqual([]);
});
