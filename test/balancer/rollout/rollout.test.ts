import { expect, test } from 'vitest';
import type { NginxAnswer } from '../../../src/balancer/nginx/answer.ts';
import {
  confirmed,
  decide,
  failed,
  nothingObserved,
  observe,
  type Rollout,
  rolloutTimes,
  toldOf,
} from '../../../src/balancer/rollout/rollout.ts';

const { overlapMs, confirmWithinMs, pollMs, tickMs, spacingMs } = rolloutTimes;
const serves = (generation: string): NginxAnswer => ({ kind: 'serves', generation });
const silent: NginxAnswer = { kind: 'silent', reason: 'nginx is not running' };
const rollout = (known: Partial<Rollout>): Rollout => ({
  ...nothingObserved,
  ...(known.answer && { lastWord: known.answer }),
  ...known,
});
const noJitter = () => 1;
/** Its processes cannot be seen. */
const unseen = { workers: undefined };

test('a file that is not the wanted one is swapped, whatever nginx answers', () => {
  for (const atRest of [undefined, 'old']) {
    for (const answer of [silent, serves('old'), serves('new')]) {
      expect(decide(rollout({ atRest, answer }), 'new', 1000)).toEqual({ kind: 'deliver' });
    }
  }
});

test('a file that is in place and not served is reloaded, once', () => {
  const inPlace = rollout({ atRest: 'new', answer: serves('old') });
  expect(decide(inPlace, 'new', 1000)).toEqual({ kind: 'deliver' });
  const asked = toldOf(inPlace, 'new', undefined, 1000);
  expect(decide(asked, 'new', 1000)).toEqual({ kind: 'wait', forMs: pollMs });
});

test('a reload for another generation does not count', () => {
  const asked = toldOf(rollout({ answer: serves('older') }), 'old', undefined, 1000);
  const inPlace = { ...asked, atRest: 'new' };
  expect(decide(inPlace, 'new', 1000 + spacingMs)).toEqual({ kind: 'deliver' });
});

test('a reload that is not answered yet holds back the next one, for a while', () => {
  const asked = toldOf(rollout({ answer: serves('older') }), 'old', undefined, 1000);
  expect(decide(asked, 'new', 1001)).toEqual({ kind: 'wait', forMs: pollMs });
  expect(decide(asked, 'new', 1000 + spacingMs)).toEqual({ kind: 'deliver' });
  const answered = observe(
    asked,
    { atRest: 'old', answer: serves('old'), ...unseen, ...unseen },
    1010,
  );
  expect(decide(answered, 'new', 1010)).toEqual({ kind: 'deliver' });
});

test('changed and changed back: what answered before the reload proves nothing after it', () => {
  const longServed = rollout({ answer: serves('a'), answeredSinceMs: 0 });
  const there = toldOf(longServed, 'b', undefined, 60_000);
  const back = toldOf(there, 'a', undefined, 60_010);
  const heard = observe(back, { atRest: 'a', answer: serves('a'), ...unseen }, 60_030);
  expect(decide(heard, 'a', 60_030)).toEqual({ kind: 'wait', forMs: pollMs });
  expect(decide(heard, 'a', 60_010 + overlapMs)).toEqual({ kind: 'confirmed' });
});

test('an nginx that is too busy to answer is not given a reload on top', () => {
  const late: NginxAnswer = { kind: 'late', reason: 'no answer within 500 ms' };
  const busy = observe(
    rollout({ atRest: 'new', answer: serves('new') }),
    { atRest: 'new', answer: late, ...unseen },
    1000,
  );
  expect(decide(busy, 'new', 5000)).toEqual({ kind: 'wait', forMs: tickMs });
  expect(decide({ ...busy, atRest: 'old' }, 'new', 5000)).toEqual({ kind: 'deliver' });
});

test('confirmed only once every answer for longer than the overlap was the wanted one', () => {
  const asked = toldOf(rollout({ answer: serves('old') }), 'new', undefined, 1000);
  const answered = observe(asked, { atRest: 'new', answer: serves('new'), ...unseen }, 1020);
  const waits = { kind: 'wait', forMs: pollMs };
  expect(decide(answered, 'new', 1020)).toEqual(waits);
  expect(decide(answered, 'new', 1020 + overlapMs - 1)).toEqual(waits);
  expect(decide(answered, 'new', 1020 + overlapMs)).toEqual({ kind: 'confirmed' });
});

test('one answer of an older worker starts the overlap anew', () => {
  let seen = toldOf(rollout({ answer: serves('old') }), 'new', undefined, 1000);
  for (const [nowMs, generation] of [
    [1020, 'new'],
    [1200, 'old'],
    [1220, 'new'],
  ] as const) {
    seen = observe(seen, { atRest: 'new', answer: serves(generation), ...unseen }, nowMs);
  }
  expect(decide(seen, 'new', 1020 + overlapMs)).toEqual({ kind: 'wait', forMs: pollMs });
  expect(decide(seen, 'new', 1220 + overlapMs)).toEqual({ kind: 'confirmed' });
});

test.each([
  [serves('old'), 'still serves old'],
  [silent, 'nginx is not running'],
])('a reload that was not answered in time is given up, with what nginx says', (answer, said) => {
  const asked = toldOf(rollout({ answer }), 'new', undefined, 1000);
  const lastMoment = 1000 + confirmWithinMs - 1;
  expect(decide(asked, 'new', lastMoment)).toMatchObject({ kind: 'wait' });
  expect(decide(asked, 'new', lastMoment + 1)).toEqual({
    kind: 'give up',
    reason: expect.stringContaining(said),
  });
});

const failure = { generation: 'new', step: 'swap', reason: 'nginx refuses the file' } as const;

test('after a failure the same generation waits for its next try, in ticks', () => {
  const refused = failed(rollout({ atRest: 'old' }), failure, 1000, noJitter);
  expect(decide(refused, 'new', 1000)).toEqual({ kind: 'wait', forMs: tickMs });
  expect(decide(refused, 'new', 1499)).toEqual({ kind: 'wait', forMs: 1 });
  expect(decide(refused, 'new', 1500)).toEqual({ kind: 'deliver' });
});

test('another generation does not wait for the failure of the one before', () => {
  const refused = failed(rollout({ atRest: 'old' }), failure, 1000, noJitter);
  expect(decide(refused, 'newer', 1000)).toEqual({ kind: 'deliver' });
});

test.each([
  ['swap', [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]],
  ['reload', [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]],
  ['check', [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]],
  ['confirm', [4000, 8000, 16_000, 32_000, 60_000, 60_000]],
] as const)('the pauses between tries to %s grow to a bound', (step, expected) => {
  let seen = rollout({ atRest: 'old' });
  const pauses = expected.map(() => {
    seen = failed(seen, { ...failure, step }, 0, noJitter);
    return seen.failure?.retryAtMs;
  });
  expect(pauses).toEqual(expected);
});

test('a failure of another step, or for another generation, begins its count anew', () => {
  const twice = failed(failed(nothingObserved, failure, 0, noJitter), failure, 0, noJitter);
  expect(twice.failure?.attempts).toBe(2);
  expect(failed(twice, { ...failure, step: 'confirm' }, 0, noJitter).failure?.attempts).toBe(1);
  expect(failed(twice, { ...failure, generation: 'newer' }, 0, noJitter).failure?.attempts).toBe(1);
});

test('a failed reload is asked for again, not taken as asked', () => {
  const asked = toldOf(rollout({ answer: serves('old') }), 'new', undefined, 0);
  const refused = failed(asked, { ...failure, step: 'reload' }, 0, noJitter);
  expect(decide(refused, 'new', 500)).toEqual({ kind: 'deliver' });
});

test('when nginx comes, goes or changes, a failure that was its own is forgiven at once', () => {
  const unheard = failed(rollout({ answer: silent }), { ...failure, step: 'reload' }, 0, noJitter);
  const seen = observe(unheard, { atRest: 'new', answer: serves('old'), ...unseen }, 10);
  expect(decide(seen, 'new', 10)).toEqual({ kind: 'deliver' });
});

test('a refusal of the file itself is not forgiven by a restart', () => {
  const refused = failed(rollout({ answer: silent }), failure, 0, noJitter);
  const seen = observe(refused, { atRest: 'old', answer: serves('old'), ...unseen }, 10);
  expect(decide(seen, 'new', 10)).toMatchObject({ kind: 'wait' });
});

test('silence for another reason is the same silence', () => {
  const seen = observe(
    rollout({ answer: silent }),
    { atRest: 'new', answer: silent, ...unseen },
    500,
  );
  expect(seen.answeredSinceMs).toBe(0);
});

test('after the confirmation a restarted nginx or an edited file is the same work again', () => {
  const settled = confirmed(toldOf(rollout({ answer: serves('new') }), 'new', undefined, 0));
  expect(settled).toMatchObject({ told: undefined, failure: undefined });
  const restarted = observe(settled, { atRest: 'new', answer: serves('old'), ...unseen }, 9000);
  expect(decide(restarted, 'new', 9000)).toEqual({ kind: 'deliver' });
  const edited = observe(settled, { atRest: undefined, answer: serves('new'), ...unseen }, 9000);
  expect(decide(edited, 'new', 9000)).toEqual({ kind: 'deliver' });
});

test('another answer of nginx makes what it refused worth another try', () => {
  const refusals = new Map([['new', { fingerprint: 'all of it', atMs: 1000 }]]);
  const before = rollout({ answer: serves('old'), refusals });
  const same = observe(before, { atRest: 'old', answer: serves('old'), ...unseen }, 2000);
  expect(same.refusals).toBe(refusals);
  const seen = observe(before, { atRest: 'old', answer: silent, ...unseen }, 2000);
  expect(seen.refusals.size).toBe(0);
});
