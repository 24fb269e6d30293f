import { expect, test } from 'vitest';
import type { CheckVerdict } from '../../../src/balancer/nginx/nginx.ts';
import { byReload } from '../../../src/balancer/rollout/by-reload.ts';
import { nothingObserved, type Rollout } from '../../../src/balancer/rollout/rollout.ts';
import { never, virtualClock } from '../../support/virtual-clock.ts';

const rendered = { generation: 'new', configuration: 'c', text: '# new' };
const servesOld: Rollout = {
  ...nothingObserved,
  ...{ atRest: 'old', answer: { kind: 'serves', generation: 'old' } },
};

interface World {
  /** A step of this name fails with these words. */
  readonly fails?: Readonly<Record<string, string>>;
  readonly verdict?: CheckVerdict;
  readonly fingerprint?: string;
}

/** Each step is written down. */
function recorded({ fails = {}, verdict = { kind: 'accepted' }, fingerprint }: World = {}) {
  const steps: string[] = [];
  const step = async (name: string) => {
    steps.push(name);
    if (fails[name] !== undefined) throw new Error(fails[name]);
  };
  const before = { master: '1@1', serving: [10], leaving: [] };
  const way = byReload({
    file: {
      path: '/etc/nginx/nginx.conf',
      stagedPath: '/etc/nginx/staged',
      generation: async () => 'old',
      text: async () => '# old',
      stage: (text: string) => step(`stage ${text}`),
      discard: () => step('discard'),
      keep: (served) => step(`keep ${served}`),
      commit: async () => {
        await step('commit');
        return { durable: step('durable') };
      },
      restore: async (generation: string) => {
        await step(`restore ${generation}`);
        return generation === 'old';
      },
    },
    nginx: {
      check: async (path) => {
        await step(`check ${path}`);
        return verdict;
      },
      fingerprint: async (path) => {
        await step(`fingerprint ${path}`);
        return fingerprint;
      },
      reload: async () => {
        steps.push('reload');
        return fails['reload'];
      },
      answer: async () => servesOld.answer,
      workers: async () => {
        await step('workers');
        return before;
      },
    },
    errorLog: {
      mark: async () => ({ ino: 1n, size: 2n }),
      since: async () => ({ kind: 'no trace' }),
    },
    witness: { told: (generation) => void steps.push(`told ${generation}`) },
    clock: virtualClock(),
    onCheck: () => {},
  });
  return { steps, way, before };
}

const swapped = [
  'stage # new',
  'check /etc/nginx/staged',
  'keep old',
  'commit',
  'workers',
  'durable',
];
const told = ['told new', 'reload'];

test('a swap stages, checks what is staged, commits and reloads, in this order', async () => {
  const { steps, way, before } = recorded();
  const delivered = await way.deliver(rendered, servesOld, never);
  expect(steps).toEqual([...swapped, ...told]);
  expect(delivered).toEqual({ kind: 'told', before });
});

test('what is at rest already is only loaded', async () => {
  const { steps, way } = recorded();
  await way.deliver(rendered, { ...servesOld, atRest: 'new' }, never);
  expect(steps).toEqual(['workers', ...told]);
});

test.each([
  ['refused', 'check'],
  ['not checked', 'swap'],
] as const)('a file that is %s is thrown away, and nothing is reloaded', async (kind, step) => {
  const { steps, way } = recorded({ verdict: { kind, reason: 'unknown directive "x"' } });
  const delivered = await way.deliver(rendered, servesOld, never);
  expect(steps).toEqual(['stage # new', 'check /etc/nginx/staged', 'keep old', 'discard']);
  const failed = { kind: 'failed', step, reason: 'unknown directive "x"', atRest: false };
  expect(delivered).toEqual(failed);
});

test.each(['stage # new', 'keep old', 'commit'])(
  'what cannot be written (%s) is a failure',
  async (step) => {
    const { steps, way } = recorded({ fails: { [step]: 'the disk is full' } });
    const delivered = await way.deliver(rendered, servesOld, never);
    expect(steps.at(-1)).toBe('discard');
    expect(delivered).toMatchObject({ step: 'swap', reason: 'the disk is full', atRest: false });
  },
);

test('a reload that failed leaves the new file at rest and says so', async () => {
  const { way } = recorded({ fails: { reload: 'nginx is not running' } });
  const delivered = await way.deliver(rendered, servesOld, never);
  expect(delivered).toMatchObject({ step: 'reload', reason: 'nginx is not running', atRest: true });
});

test('a change that a power cut could undo is no success', async () => {
  const { steps, way } = recorded({ fails: { durable: 'input/output error' } });
  const delivered = await way.deliver(rendered, servesOld, never);
  expect(steps.at(-1)).toBe('reload');
  expect(delivered).toMatchObject({ step: 'swap', reason: 'input/output error', atRest: true });
});

test('what nginx refused is let be for as long as all that it reads is the same', async () => {
  const refusals = new Map([['new', { fingerprint: 'all of it', atMs: 0 }]]);
  const again = { ...servesOld, refusals };
  const same = recorded({ fingerprint: 'all of it' });
  expect(await same.way.deliver(rendered, again, never)).toEqual({ kind: 'unchanged' });
  expect(same.steps).toEqual(['stage # new', 'fingerprint /etc/nginx/staged', 'discard']);
  const mended = recorded({ fingerprint: 'all of it, mended' });
  expect(await mended.way.deliver(rendered, again, never)).toMatchObject({ kind: 'told' });
});

test('taken back: the file of the generation that nginx goes on with', async () => {
  const { steps, way } = recorded({ fingerprint: 'all of it' });
  expect(await way.takeBack('old', never)).toEqual({
    ...{ fingerprint: 'all of it', trace: { kind: 'no trace' } },
    words: '; the file that it serves is back in place',
  });
  expect(steps).toEqual(['fingerprint /etc/nginx/nginx.conf', 'restore old']);
  expect((await recorded().way.takeBack('older', never)).words).toContain('no longer here');
});

test('a silent nginx finds the new file at its next start', async () => {
  const { steps, way } = recorded();
  expect((await way.takeBack(undefined, never)).words).toBe('');
  expect(steps).not.toContain('restore old');
});

test('a file that cannot be put back is told', async () => {
  const { way } = recorded({ fails: { 'restore old': 'the disk is full' } });
  const { words } = await way.takeBack('old', never);
  expect(words).toContain('could not be put back: the disk is full');
});

test('whether nginx would take a file is asked without leaving anything', async () => {
  const refusing = recorded({ verdict: { kind: 'refused', reason: 'unknown directive "x"' } });
  expect(await refusing.way.faultOf(rendered, never)).toBe('unknown directive "x"');
  expect(refusing.steps).toEqual(['stage # new', 'check /etc/nginx/staged', 'discard']);
  const hanging = recorded({ verdict: { kind: 'not checked', reason: 'no end' } });
  expect(await hanging.way.faultOf(rendered, never)).toBeUndefined();
});
