/**
 * Judgement by rise and fall, pure. One passing probe is not "up" and one failing
 * probe is not "down": the state says how far the evidence goes.
 *
 *   starting  nothing is decided: no key       up       the key is held
 *   failing   up, but the last probe failed    down     no key
 *   rising    down, but the last probe passed
 *
 * During the start grace a failing probe is excused: an apache that is still starting is
 * not down, and nobody is told so.
 */
import { watchdogStates } from '../registry/record.ts';

export type Health =
  | { readonly state: 'starting'; readonly passes: number; readonly failures: number }
  | { readonly state: 'up' }
  | { readonly state: 'failing'; readonly failures: number }
  | { readonly state: 'down' }
  | { readonly state: 'rising'; readonly passes: number };

export type HealthState = Health['state'];

/** The record beside the key tells them: what a reader of records knows is what there is. */
export const healthStates: readonly HealthState[] = watchdogStates satisfies readonly HealthState[];

/** What a probe means to the judgement. `excused`: it failed within the start grace. */
export type Finding = 'passed' | 'failed' | 'excused';

export interface Judgement {
  /** Passing probes in a row from down (or the start) to up; at least 1. */
  readonly rise: number;
  /** Failing probes in a row from up (or the start) to down; at least 1. */
  readonly fall: number;
}

export const unjudged: Health = { state: 'starting', passes: 0, failures: 0 };

export function judge(health: Health, finding: Finding, { rise, fall }: Judgement): Health {
  const passed = finding === 'passed';
  switch (health.state) {
    case 'starting': {
      if (finding === 'excused') return unjudged;
      const passes = passed ? health.passes + 1 : 0;
      const failures = passed ? 0 : health.failures + 1;
      if (passes >= rise) return { state: 'up' };
      return failures >= fall ? { state: 'down' } : { state: 'starting', passes, failures };
    }
    case 'up':
    case 'failing': {
      if (passed) return { state: 'up' };
      const failures = health.state === 'failing' ? health.failures + 1 : 1;
      return failures >= fall ? { state: 'down' } : { state: 'failing', failures };
    }
    case 'down':
    case 'rising': {
      if (!passed) return { state: 'down' };
      const passes = health.state === 'rising' ? health.passes + 1 : 1;
      return passes >= rise ? { state: 'up' } : { state: 'rising', passes };
    }
    default:
      return health satisfies never;
  }
}

/** In these states the key belongs in etcd. */
export const isUp = ({ state }: Health) => state === 'up' || state === 'failing';

/** In these states the next probe comes after the fast interval. */
export const isInDoubt = ({ state }: Health) =>
  state === 'starting' || state === 'failing' || state === 'rising';
