import { expect, test } from 'vitest';
import type { DrainStage, Seen } from '../../../src/watchdog/drain/drain.ts';
import { acknowledged, momentOf, saying } from '../../support/acknowledged.ts';
import { after, all, inWords, nobody, some } from './folded.ts';

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
  'somebody else holds the key for our backend': { standing: { kind: 'not ours' }, keyIs: 'ours' },
  'somebody else holds the key for another': {
    ...{ standing: { kind: 'not ours' }, keyIs: 'elsewhere', look: all },
  },
  'our backend is in etcd again': { look: all, keyIs: 'ours' },
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
    ...{
      'etcd does not say': 'removing',
      'somebody else holds the key for our backend': 'over: nothing to drain',
    },
    'somebody else holds the key for another': 'over: nothing to drain',
    ...{
      'our backend is in etcd again': 'waiting',
      'one joins that has confirmed nothing': 'waiting',
    },
    ...{ 'one has not confirmed': 'waiting', 'all have confirmed': 'lingering' },
    ...{ 'the last one is gone': 'alone', 'the key went again, later': 'waiting' },
    'a look from before, or at a store that went back': 'waiting',
    ...{ 'the deadline': 'over: timeout', time: 'waiting' },
  },
  waiting: {
    ...{
      'etcd does not say': 'removing',
      'somebody else holds the key for our backend': 'over: nothing to drain',
    },
    'somebody else holds the key for another': 'lingering',
    ...{
      'our backend is in etcd again': 'waiting',
      'one joins that has confirmed nothing': 'waiting',
    },
    ...{ 'one has not confirmed': 'waiting', 'all have confirmed': 'lingering' },
    ...{ 'the last one is gone': 'alone', 'the key went again, later': 'waiting' },
    'a look from before, or at a store that went back': 'waiting',
    ...{ 'the deadline': 'over: timeout', time: 'waiting' },
  },
  alone: {
    ...{
      'etcd does not say': 'removing',
      'somebody else holds the key for our backend': 'over: nothing to drain',
    },
    'somebody else holds the key for another': 'lingering',
    ...{
      'our backend is in etcd again': 'waiting',
      'one joins that has confirmed nothing': 'waiting',
    },
    ...{ 'one has not confirmed': 'waiting', 'all have confirmed': 'lingering' },
    ...{ 'the last one is gone': 'alone', 'the key went again, later': 'waiting' },
    'a look from before, or at a store that went back': 'waiting',
    ...{ 'the deadline': 'over: timeout', time: 'over: grace' },
  },
  lingering: {
    ...{
      'etcd does not say': 'removing',
      'somebody else holds the key for our backend': 'over: nothing to drain',
    },
    'somebody else holds the key for another': 'lingering',
    ...{
      'our backend is in etcd again': 'waiting',
      'one joins that has confirmed nothing': 'waiting',
    },
    ...{ 'one has not confirmed': 'waiting', 'all have confirmed': 'lingering' },
    ...{ 'the last one is gone': 'alone', 'the key went again, later': 'waiting' },
    'a look from before, or at a store that went back': 'waiting',
    ...{ 'the deadline': 'over: timeout', time: 'over: confirmed' },
  },
  over: {
    ...{
      'etcd does not say': 'over: confirmed',
      'somebody else holds the key for our backend': 'over: confirmed',
    },
    'somebody else holds the key for another': 'over: confirmed',
    'our backend is in etcd again': 'over: confirmed',
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
