import { expect, test } from 'vitest';
import {
  beginDrain,
  type Drain,
  type DrainCause,
  drainDueAtMs,
  type DrainRules,
  type DrainStage,
  foldDrain,
  type Seen,
  stopDrained,
} from '../../../src/watchdog/drain/drain.ts';
import { acknowledged, momentOf, saying } from '../../support/acknowledged.ts';
import { storedKey } from '../../support/builders.ts';

const rules: DrainRules = {
  ...{ timeoutMs: 30_000, graceMs: 2000, lingerMs: 500, balancers: 0, until: 'confirmed' },
};
const since = new Date(0);
const gone = { kind: 'gone', revision: 20 } as const;
const all = momentOf([acknowledged(saying('lb1', 20)), acknowledged(saying('lb2', 25))]);
const some = momentOf([acknowledged(saying('lb1', 20)), acknowledged(saying('lb2', 19))]);
const nobody = momentOf([]);
const quiet: Seen = {
  ...{ nowMs: 0, standing: gone, neverWrote: false, look: undefined, trouble: undefined },
};

/** Folded one after the other, a hundred milliseconds apart. */
const after = (by: DrainCause, ...seen: readonly Partial<Seen>[]) =>
  seen.reduce<Drain>(
    (drain, one, n) => foldDrain(drain, { ...quiet, nowMs: (n + 1) * 100, ...one }, rules),
    beginDrain(by, since, 0),
  );

/** How each stage is reached by a stop. */
const reached: Record<DrainStage['kind'], readonly Partial<Seen>[]> = {
  removing: [{ standing: { kind: 'unknown' } }],
  waiting: [{ look: some }],
  alone: [{ look: nobody }],
  lingering: [{ look: all }],
  over: [{ look: all }, { look: all, nowMs: 600 }],
};

const events = {
  'etcd does not say': { standing: { kind: 'unknown' } },
  'the key is somebody else’s': { standing: { kind: 'not ours' } },
  'the key is in etcd again': { look: momentOf(all.below, storedKey('/test/a', '127.0.0.1:1')) },
  'one joins that has confirmed nothing': {
    look: momentOf([...all.below, acknowledged(saying('lb3', 0), 90)]),
  },
  'one has not confirmed': { look: some },
  'all have confirmed': { look: all },
  'the last one is gone': { look: nobody },
  'a look from before, or at a store that went back': { look: { ...all, revision: 19 } },
  'the key went again, later': { standing: { kind: 'gone', revision: 40 }, look: all },
  'the deadline': { nowMs: 30_000, look: some },
  time: { nowMs: 5000 },
} as const satisfies Record<string, Partial<Seen>>;

type Event = keyof typeof events;

/** Where each event leads from each stage of a stop. `over` has its end. */
const leadsTo: Record<DrainStage['kind'], Record<Event, string>> = {
  removing: {
    ...{ 'etcd does not say': 'removing', 'the key is somebody else’s': 'over: nothing to drain' },
    ...{ 'the key is in etcd again': 'waiting', 'one joins that has confirmed nothing': 'waiting' },
    ...{ 'one has not confirmed': 'waiting', 'all have confirmed': 'lingering' },
    ...{ 'the last one is gone': 'alone', 'the key went again, later': 'waiting' },
    'a look from before, or at a store that went back': 'waiting',
    ...{ 'the deadline': 'over: timeout', time: 'waiting' },
  },
  waiting: {
    ...{ 'etcd does not say': 'removing', 'the key is somebody else’s': 'over: nothing to drain' },
    ...{ 'the key is in etcd again': 'waiting', 'one joins that has confirmed nothing': 'waiting' },
    ...{ 'one has not confirmed': 'waiting', 'all have confirmed': 'lingering' },
    ...{ 'the last one is gone': 'alone', 'the key went again, later': 'waiting' },
    'a look from before, or at a store that went back': 'waiting',
    ...{ 'the deadline': 'over: timeout', time: 'waiting' },
  },
  alone: {
    ...{ 'etcd does not say': 'removing', 'the key is somebody else’s': 'over: nothing to drain' },
    ...{ 'the key is in etcd again': 'waiting', 'one joins that has confirmed nothing': 'waiting' },
    ...{ 'one has not confirmed': 'waiting', 'all have confirmed': 'lingering' },
    ...{ 'the last one is gone': 'alone', 'the key went again, later': 'waiting' },
    'a look from before, or at a store that went back': 'waiting',
    ...{ 'the deadline': 'over: timeout', time: 'over: grace' },
  },
  lingering: {
    ...{ 'etcd does not say': 'removing', 'the key is somebody else’s': 'over: nothing to drain' },
    ...{ 'the key is in etcd again': 'waiting', 'one joins that has confirmed nothing': 'waiting' },
    ...{ 'one has not confirmed': 'waiting', 'all have confirmed': 'lingering' },
    ...{ 'the last one is gone': 'alone', 'the key went again, later': 'waiting' },
    'a look from before, or at a store that went back': 'waiting',
    ...{ 'the deadline': 'over: timeout', time: 'over: confirmed' },
  },
  over: {
    ...{ 'etcd does not say': 'over: confirmed', 'the key is somebody else’s': 'over: confirmed' },
    'the key is in etcd again': 'over: confirmed',
    'one joins that has confirmed nothing': 'over: confirmed',
    ...{ 'one has not confirmed': 'over: confirmed', 'all have confirmed': 'over: confirmed' },
    ...{
      'the last one is gone': 'over: confirmed',
      'the key went again, later': 'over: confirmed',
    },
    'a look from before, or at a store that went back': 'over: confirmed',
    ...{ 'the deadline': 'over: confirmed', time: 'over: confirmed' },
  },
};

const inWords = ({ stage }: Drain) => (stage.kind === 'over' ? `over: ${stage.end}` : stage.kind);

const rows = Object.entries(leadsTo).flatMap(([stage, row]) =>
  Object.entries(row).map(([event, next]) => [stage, event, next] as const),
) as readonly (readonly [DrainStage['kind'], Event, string])[];

test.each(rows)('a stop that is %s, and %s: %s', (stage, event, next) => {
  const before = reached[stage];
  const last = before.at(-1);
  expect(after('shutdown', ...before).stage.kind).toBe(stage);
  const { look } = { look: undefined, ...last };
  const seen = event === 'time' ? { look, ...events[event] } : events[event];
  expect(inWords(after('shutdown', ...before, seen))).toBe(next);
});

test('a deadline names who had not confirmed, and why', () => {
  const { stage } = after('shutdown', { look: some }, { look: some, nowMs: 30_000 });
  expect(stage).toMatchObject({
    end: 'timeout',
    missing: [{ who: 'lb2 (pid 7)', why: expect.stringContaining('19') }],
  });
});

test('a deadline that etcd let pass says so', () => {
  const late = { nowMs: 30_000 };
  const { stage } = after('shutdown', { ...late, standing: { kind: 'unknown' } });
  expect(stage).toMatchObject({ missing: [{ who: 'etcd', why: expect.stringContaining('gone') }] });
  expect(after('shutdown', { ...late, trouble: 'no leader' }).stage).toMatchObject({
    missing: [{ who: 'etcd', why: 'no leader' }],
  });
});

test('one that is confirmed names nobody, whoever was waited for before', () => {
  const hasty = { ...rules, lingerMs: 0 };
  const waits = foldDrain(beginDrain('shutdown', since, 0), { ...quiet, look: some }, hasty);
  const { stage } = foldDrain(waits, { ...quiet, look: all }, hasty);
  expect(stage).toEqual({ kind: 'over', end: 'confirmed', missing: [] });
});

test('a lingering begins anew when somebody took back what had been confirmed', () => {
  const steps = [{ look: all }, { look: some }, { look: all, nowMs: 400 }] as const;
  expect(inWords(after('shutdown', ...steps, { look: all, nowMs: 899 }))).toBe('lingering');
  expect(inWords(after('shutdown', ...steps, { look: all, nowMs: 900 }))).toBe('over: confirmed');
});

test('an operator’s drain has no deadline, and is concluded anew when the key went again', () => {
  expect(inWords(after('operator', { look: some }, { look: some, nowMs: 1e9 }))).toBe('waiting');
  const done = [{ look: all }, { look: all, nowMs: 700 }] as const;
  expect(inWords(after('operator', ...done, { look: some }))).toBe('over: confirmed');
  const again = { standing: { kind: 'gone', revision: 40 }, look: some } as const;
  expect(inWords(after('operator', ...done, again))).toBe('waiting');
  expect(inWords(after('operator', { standing: { kind: 'not ours' } }))).toBe('removing');
});

test('a stop while an operator’s drain goes on is concluded anew, with a deadline', () => {
  const done = after('operator', { look: all }, { look: all, nowMs: 700 });
  const stopped = stopDrained(done, 1000);
  expect(stopped).toMatchObject({ by: 'operator', stopAtMs: 1000, stage: { kind: 'waiting' } });
  const fold = (nowMs: number) => foldDrain(stopped, { ...quiet, nowMs, look: some }, rules);
  expect(inWords(fold(30_999))).toBe('waiting');
  expect(inWords(fold(31_000))).toBe('over: timeout');
});

test('in a store that was wiped, balancers have time to be known again before there are none', () => {
  const wiped = {
    standing: { kind: 'gone', revision: 3 },
    look: { ...nobody, revision: 3 },
  } as const;
  const steps = [{ look: some }, { ...wiped, nowMs: 200 }] as const;
  const at = (nowMs: number) => after('shutdown', ...steps, { ...wiped, nowMs });
  expect(inWords(at(10_199))).toBe('alone');
  expect(drainDueAtMs(at(5000), rules)).toBe(10_200);
  expect(inWords(at(10_200))).toBe('over: grace');
});

test('without a timeout nobody is waited for, and what was never written needs no drain', () => {
  const drain = beginDrain('shutdown', since, 0);
  expect(inWords(foldDrain(drain, quiet, { ...rules, timeoutMs: 0 }))).toBe('over: not waited for');
  const never = { ...quiet, standing: { kind: 'unknown' }, neverWrote: true } as const;
  expect(inWords(foldDrain(drain, never, rules))).toBe('over: nothing to drain');
});

test('with fewer balancers than there should be, nothing is confirmed', () => {
  const strict = { ...rules, balancers: 3 };
  const fold = (look: Seen['look']) =>
    foldDrain(beginDrain('shutdown', since, 0), { ...quiet, look }, strict);
  expect(fold(all).stage).toMatchObject({ kind: 'waiting', missing: [{ who: 'balancers' }] });
  expect(fold(nobody).stage).toMatchObject({ kind: 'waiting' });
});

test('it is looked at again when a grace, a lingering or the deadline ends', () => {
  expect(drainDueAtMs(after('shutdown', { look: some }), rules)).toBe(30_000);
  expect(drainDueAtMs(after('shutdown', { look: nobody }), rules)).toBe(2100);
  expect(drainDueAtMs(after('shutdown', { look: all }), rules)).toBe(600);
  expect(drainDueAtMs(after('operator', { look: some }), rules)).toBe(Number.POSITIVE_INFINITY);
});
