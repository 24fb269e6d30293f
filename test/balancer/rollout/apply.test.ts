import { expect, test } from 'vitest';
import { apply } from '../../../src/balancer/rollout/apply.ts';
import { nothingObserved, type Rollout } from '../../../src/balancer/rollout/rollout.ts';
import { never, virtualClock } from '../../support/virtual-clock.ts';

const rendered = { generation: 'new', text: '# new' };
const servesOld: Rollout = { ...nothingObserved, answer: { kind: 'serves', generation: 'old' } };

/** Each step is written down; a step named in `fails` fails with those words. */
function recorded(fails: Readonly<Record<string, string>> = {}) {
  const steps: string[] = [];
  const step = async (name: string) => {
    steps.push(name);
    if (fails[name] !== undefined) throw new Error(fails[name]);
  };
  const said = async (name: string) => {
    steps.push(name);
    return fails[name];
  };
  const deps = {
    file: {
      stagedPath: '/etc/nginx/staged',
      generation: async () => 'old',
      text: async () => '# old',
      stage: (text: string) => step(`stage ${text}`),
      discard: () => step('discard'),
      commit: () => step('commit'),
      restore: async (generation: string) => {
        await step(`restore ${generation}`);
        return generation === 'old';
      },
    },
    nginx: {
      check: (path: string) => said(`check ${path}`),
      reload: () => said('reload'),
      answer: async () => servesOld.answer,
    },
    clock: virtualClock(),
    random: () => 1,
  };
  return { steps, deps };
}

test('a swap stages, checks what is staged, commits and reloads, in this order', async () => {
  const { steps, deps } = recorded();
  const after = await apply({ kind: 'swap' }, servesOld, rendered, deps, never);
  expect(steps).toEqual(['stage # new', 'check /etc/nginx/staged', 'commit', 'reload']);
  expect(after).toMatchObject({ onDisk: 'new', reload: { generation: 'new' }, failure: undefined });
});

test('a file that nginx refuses is thrown away, and nothing is reloaded', async () => {
  const { steps, deps } = recorded({ 'check /etc/nginx/staged': 'unknown directive "x"' });
  const after = await apply({ kind: 'swap' }, servesOld, rendered, deps, never);
  expect(steps).toEqual(['stage # new', 'check /etc/nginx/staged', 'discard']);
  expect(after.onDisk).toBe(servesOld.onDisk);
  expect(after.failure).toMatchObject({
    ...{ step: 'swap', generation: 'new', attempts: 1 },
    reason: 'nginx refuses the file: unknown directive "x"',
  });
});

test.each(['stage # new', 'commit'])('what cannot be written (%s) is a failure', async (step) => {
  const { steps, deps } = recorded({ [step]: 'the disk is full' });
  const after = await apply({ kind: 'swap' }, servesOld, rendered, deps, never);
  expect(steps.at(-1)).toBe('discard');
  expect(after.failure).toMatchObject({ step: 'swap', reason: 'the disk is full' });
});

test('a reload that failed leaves the new file on disk and says so', async () => {
  const { steps, deps } = recorded({ reload: 'nginx is not running' });
  const after = await apply({ kind: 'swap' }, servesOld, rendered, deps, never);
  expect(steps.at(-1)).toBe('reload');
  expect(after).toMatchObject({
    ...{ onDisk: 'new', reload: undefined },
    failure: { step: 'reload', reason: 'nginx is not running' },
  });
});

test('a reload alone touches no file', async () => {
  const { steps, deps } = recorded();
  await apply({ kind: 'reload' }, servesOld, rendered, deps, never);
  expect(steps).toEqual(['reload']);
});

const givenUp = { kind: 'give up', reason: 'nginx did not serve new' } as const;

test('giving up puts back the file of the generation that nginx goes on with', async () => {
  const { steps, deps } = recorded();
  const { failure } = await apply(givenUp, servesOld, rendered, deps, never);
  expect(steps).toEqual(['restore old']);
  expect(failure).toMatchObject({
    step: 'confirm',
    reason: 'nginx did not serve new; the file that it serves is back in place',
  });
});

test('giving up on a silent nginx leaves the new file for its next start', async () => {
  const { steps, deps } = recorded();
  const { failure } = await apply(givenUp, nothingObserved, rendered, deps, never);
  expect(steps).toEqual([]);
  expect(failure?.reason).toBe('nginx did not serve new');
});

test('a file that cannot be put back is told with the failure', async () => {
  const { deps } = recorded({ 'restore old': 'the disk is full' });
  const { failure } = await apply(givenUp, servesOld, rendered, deps, never);
  expect(failure?.reason).toContain('could not be put back: the disk is full');
});

test.each([{ kind: 'wait', forMs: 20 }, { kind: 'confirmed' }] as const)(
  '$kind changes nothing',
  async (decision) => {
    const { steps, deps } = recorded();
    expect(await apply(decision, servesOld, rendered, deps, never)).toBe(servesOld);
    expect(steps).toEqual([]);
  },
);
