/**
 * What the probes so far amount to, as one value, and what each further one makes of it.
 * Pure: the loop holds the value, and this says how it changes.
 */
import { type Alarm, onIdleClose, onPass, quiet } from './alarm.ts';
import { type Finding, type Health, judge, type Judgement, unjudged } from './health.ts';
import type { ProbeResult } from './probe/result.ts';
import { drawPauseMs, nextProbeAtMs, remember, suspiciousAfterMs } from './schedule.ts';
import type { Cadence } from './timing.ts';

export type Rules = Cadence & Judgement & { readonly startGraceMs: number };

/** Now, by both clocks, and a source of randomness in 0..1. */
export interface Moment {
  readonly nowMs: number;
  readonly date: Date;
  readonly random: () => number;
}

export interface Course {
  readonly health: Health;
  /** When the state was entered, by the wall clock. */
  readonly since: Date;
  /** Why the last probe failed that changed the state for the worse. */
  readonly reason: string | undefined;
  /** The last probe that was judged. */
  readonly last: ProbeResult | undefined;
  /** When it ended, by the wall clock. */
  readonly lastProbeAt: Date | undefined;
  readonly lastPassStartedAtMs: number;
  /** How long the last passes took. */
  readonly passesMs: readonly number[];
  readonly alarm: Alarm;
  readonly graceUntilMs: number;
  readonly lastStartMs: number;
  readonly lastEndMs: number;
  /** The pause that was drawn when the last probe ended. */
  readonly pauseMs: number;
}

export const begin = ({ startGraceMs }: Rules, { nowMs, date }: Moment): Course => ({
  health: unjudged,
  since: date,
  reason: undefined,
  last: undefined,
  lastProbeAt: undefined,
  lastPassStartedAtMs: Number.NEGATIVE_INFINITY,
  passesMs: [],
  alarm: quiet,
  graceUntilMs: nowMs + startGraceMs,
  lastStartMs: Number.NEGATIVE_INFINITY,
  lastEndMs: Number.NEGATIVE_INFINITY,
  pauseMs: 0,
});

export const afterStart = (course: Course, { nowMs }: Moment): Course => ({
  ...course,
  lastStartMs: nowMs,
});

/** Something asks for a fresh look at the backend: the next probe need not wait out its pause. */
export const withoutPause = (course: Course): Course => ({ ...course, pauseMs: 0 });

/** The other side closed the connection of the last pass. */
export const afterIdleClose = (course: Course, { nowMs }: Moment): Course => ({
  ...course,
  alarm: onIdleClose(course.alarm, nowMs),
});

/** A failure is judged unless a younger probe has passed: what it waited for in vain is the past. */
const isOutdated = ({ lastPassStartedAtMs }: Course, result: ProbeResult) =>
  !result.passed && result.startedAtMs < lastPassStartedAtMs;

export function afterProbe(
  course: Course,
  result: ProbeResult,
  rules: Rules,
  { nowMs, date, random }: Moment,
): Course {
  if (isOutdated(course, result)) return course;
  const before = course.health;
  const health = judge(before, find(course, result, nowMs), rules);
  const isNew = health.state !== before.state;
  const pauseMs = drawPauseMs(
    {
      ...{ before, after: health, alarmed: course.alarm.raised },
      kind: result.passed ? undefined : result.kind,
    },
    rules,
    random,
  );
  const judged = {
    ...course,
    ...{ health, pauseMs, last: result, lastEndMs: nowMs, lastProbeAt: date },
    since: isNew ? date : course.since,
  };
  if (!result.passed) {
    return {
      ...judged,
      reason: isNew ? result.reason : course.reason,
      alarm: health.state === 'down' ? quiet : course.alarm,
    };
  }
  return {
    ...judged,
    lastPassStartedAtMs: Math.max(course.lastPassStartedAtMs, result.startedAtMs),
    // What answers again after a hang, or for the first time, is not how slow it usually is.
    passesMs:
      before.state === 'up' ? remember(course.passesMs, result.durationMs) : course.passesMs,
    alarm: onPass(course.alarm, nowMs, rules.intervalMs),
  };
}

function find({ health, graceUntilMs }: Course, result: ProbeResult, nowMs: number): Finding {
  if (result.passed) return 'passed';
  return health.state === 'starting' && nowMs < graceUntilMs ? 'excused' : 'failed';
}

/** @returns when the next probe begins; Infinity: not before one of those in flight has ended. */
export function nextProbe(course: Course, inFlightSinceMs: readonly number[], rules: Rules) {
  const { health, lastStartMs, lastEndMs, pauseMs, alarm, passesMs } = course;
  return nextProbeAtMs(
    {
      ...{ health, inFlightSinceMs, lastStartMs, lastEndMs, pauseMs },
      alarmed: alarm.raised,
      timedOut: course.last?.passed === false && course.last.kind === 'timeout',
      suspiciousAfterMs: suspiciousAfterMs(passesMs, rules.timeoutMs),
    },
    rules,
  );
}
