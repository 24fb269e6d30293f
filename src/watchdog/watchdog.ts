/**
 * The watchdog's loop. One turn: judge what the probes have found, start the probe that is
 * due, have etcd agree with the judgement, and see how far a drain has come. None waits for the
 * other: an etcd that is slow delays no probe, and a probe that hangs delays no removal. And since
 * every turn compares what is wanted with what is, nothing needs an event to recover.
 *
 * Told to stop it goes on turning, without its key, until the drain is over.
 */
import type { Clock } from '../lib/clock.ts';
import { type Log, Notices } from '../lib/log.ts';
import { Wakeup } from '../lib/wakeup.ts';
import { Agreement } from './registration/agreement.ts';
import {
  afterIdleClose,
  afterProbe,
  afterStart,
  begin,
  type Course,
  nextProbe,
  type Rules,
  withoutPause,
} from './course.ts';
import type { Drain, DrainRules } from './drain/drain.ts';
import { Draining, type DrainingDeps, type OwnBackend } from './drain/draining.ts';
import { DrainTeller } from './drain/telling.ts';
import { Flight } from './flight.ts';
import type { WatchdogObserver } from './observer.ts';
import type { ProbeResult } from './probe/result.ts';
import type { Registration } from './registration/registration.ts';
import { letGo, logTransition, warnOfSlowness } from './telling.ts';
import { evidenceMs, stuckAfterMs } from './timing.ts';

export interface WatchdogDeps {
  readonly probe: (signal: AbortSignal) => Promise<ProbeResult>;
  readonly registration: Pick<
    Registration,
    'hold' | 'drop' | 'release' | 'remainingMs' | 'standing' | 'order' | 'leaseLostAtMs'
  >;
  readonly onlooker: DrainingDeps['onlooker'];
  /** The record beside the key. */
  readonly record: (course: Course, drain: Drain | undefined) => string;
  readonly backend: OwnBackend;
  readonly drain: DrainRules;
  /** Told to stop, and the key is still held: told once. Must not throw. */
  readonly onLeaving: () => void;
  readonly rules: Rules;
  readonly ttlMs: number;
  /** What rings the loop from outside. */
  readonly bells: WatchdogBells;
  /** How often a supervisor wants to hear that the loop does its work; undefined: never. */
  readonly aliveEveryMs: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observer: WatchdogObserver;
}

/** Filled in by the loop; rung by the death-watch and by the watch on the key. */
export interface WatchdogBells {
  onIdleClose: () => void;
  onKeyChange: () => void;
}

/** A turn at least this often, whatever is due. */
const longestWaitMs = 10_000;

/** Runs until the signal aborts, then drains, and lets everything go; never throws. */
export async function runWatchdog(deps: WatchdogDeps, stop: AbortSignal): Promise<void> {
  const { registration, onlooker, rules, ttlMs, bells, clock, random, log, observer } = deps;
  const notices = new Notices(log);
  const bell = new Wakeup();
  const ring = () => bell.ring();
  const moment = () => ({ nowMs: clock.now(), date: clock.date(), random });
  const flight = new Flight(deps.probe, ring);
  const agreement = new Agreement({
    ...{ registration, clock, random, notices, ttlMs, ring },
    evidenceMs: evidenceMs(rules.timeoutMs),
    onOutcome: observer.onOutcome,
    onFailure: observer.onEtcdFailure,
  });
  const draining = new Draining({
    registration,
    onlooker,
    rules: deps.drain,
    backend: deps.backend,
    clock,
  });
  const teller = new DrainTeller(log, observer);
  const over = new AbortController();
  const signal = over.signal;
  let isLeaving = false;
  let wasDrained = false;
  let course = begin(rules, moment());
  stop.addEventListener('abort', ring, { signal });

  bells.onIdleClose = () => {
    const { raised } = course.alarm;
    course = afterIdleClose(course, moment());
    observer.onIdleClose(course.alarm.raised && !raised ? 'probed' : 'muted');
    ring();
  };
  bells.onKeyChange = () => {
    agreement.touch();
    // To come back it takes a fresh pass.
    if (draining.drain) course = withoutPause(course);
    ring();
  };

  for (;;) {
    for (const result of flight.takeEnded()) {
      observer.onProbe(result);
      const before = course.health;
      course = afterProbe(course, result, rules, moment());
      if (result.passed) flight.abandonBefore(result.startedAtMs);
      if (course.health.state !== before.state) {
        observer.onTransition(before, course.health);
        logTransition(log, before, course.health, result);
      }
      warnOfSlowness(notices, course.passesMs, rules.timeoutMs);
    }

    draining.update(stop.aborted, !agreement.hasTried);
    if (draining.isOver) break;
    const { drain } = draining;
    // What the probe of before says is acted on at once; the next one vouches for what follows.
    if (drain && !wasDrained) course = withoutPause(course);
    wasDrained = drain !== undefined;
    if (stop.aborted && !isLeaving) {
      isLeaving = true;
      if (agreement.isRegistered) deps.onLeaving();
    }

    if (clock.now() >= nextProbe(course, flight.sinceMs, rules)) {
      if (flight.sinceMs.length > 0) observer.onCompanion();
      course = afterStart(course, moment());
      flight.start(course.lastStartMs, signal);
    }

    const { health, last } = course;
    const record = deps.record(course, drain);
    const wanted = last && { health, drained: drain !== undefined, last, record };
    const agreeAtMs = wanted ? agreement.turn(wanted, signal) : Number.POSITIVE_INFINITY;

    const nowMs = clock.now();
    const [oldestMs = Number.POSITIVE_INFINITY] = flight.sinceMs;
    const { isRegistered, words } = agreement;
    const isStuck = nowMs - oldestMs > rules.timeoutMs + stuckAfterMs || agreement.isStuck;
    const lookAtMs = draining.look(isRegistered, ring, signal);
    const { isInRotation, servedBy, waitsFor } = draining;
    const rotation = { isInRotation, servedBy, waitsFor };
    const status = { course, isRegistered, ...rotation, drain, words, isStuck };
    observer.onTurn(status);
    teller.tell(status);

    const probeAtMs = nextProbe(course, flight.sinceMs, rules);
    const dueMs = Math.min(probeAtMs, agreeAtMs, lookAtMs) - nowMs;
    const waitMs = Math.max(0, Math.min(dueMs, deps.aliveEveryMs ?? longestWaitMs, longestWaitMs));
    await bell.wait(waitMs, clock, signal);
    observer.onLag(Math.max(0, clock.now() - nowMs - waitMs));
  }
  teller.end(draining.drain, clock.now());
  over.abort();
  await letGo(registration, log);
}
