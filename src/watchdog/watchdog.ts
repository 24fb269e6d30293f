/**
 * The watchdog's loop. One turn: probe, judge, then make etcd agree with the
 * judgement. The renewal stands inside the turn and takes the probe as its argument,
 * so nothing but a passing probe can cause one; and since every turn compares what is
 * wanted with what is, a write that failed needs no event to be tried again.
 */
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { Notices } from '../lib/log.ts';
import { type Health, isInDoubt, isUp, judge, type Judgement, unjudged } from './health.ts';
import type { ProbeResult } from './probe.ts';
import type { Held, Registration } from './registration.ts';
import { withJitter } from './timing.ts';

export interface WatchdogStatus {
  readonly health: Health;
  /** When the state was entered, by the wall clock. */
  readonly since: Date;
  readonly lastProbe: (ProbeResult & { readonly at: Date }) | undefined;
  readonly registered: boolean;
  /** The registration in words: "held", "not held: down", "etcd: ...". */
  readonly registration: string;
}

export interface WatchdogDeps {
  readonly probe: (signal: AbortSignal) => Promise<ProbeResult>;
  readonly registration: Pick<Registration, 'hold' | 'release' | 'hasLease' | 'remainingMs'>;
  readonly judgement: Judgement;
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observer: WatchdogObserver;
}

/** Told of everything, for metrics and status; must not throw. */
export interface WatchdogObserver {
  readonly onProbe: (result: ProbeResult) => void;
  readonly onTransition: (from: Health, to: Health) => void;
  readonly onRegistration: (outcome: Held['kind'] | 'released' | 'failed') => void;
  readonly onStatus: (status: WatchdogStatus) => void;
}

/** Runs until the signal aborts, then releases the key; never throws. */
export async function runWatchdog(deps: WatchdogDeps, signal: AbortSignal): Promise<void> {
  const { probe, judgement, clock, random, log, observer } = deps;
  const notices = new Notices(log);
  let health = unjudged;
  let since = clock.date();
  let registration = 'not held: starting';

  while (!signal.aborted) {
    const result = await probe(signal);
    if (signal.aborted) break;
    const lastProbe = { ...result, at: clock.date() };
    observer.onProbe(result);

    const judgedBefore = health;
    health = judge(judgedBefore, result.passed, judgement);
    if (judgedBefore.state !== health.state) {
      since = clock.date();
      observer.onTransition(judgedBefore, health);
      logTransition(log, judgedBefore, health, result);
    }

    registration = await agree(deps, health, result, registration, notices, signal);
    observer.onStatus({
      health,
      since,
      lastProbe,
      registered: deps.registration.remainingMs > 0 && registration === 'held',
      registration,
    });

    const pauseMs = isInDoubt(health) ? deps.fastIntervalMs : deps.intervalMs;
    await clock.sleep(withJitter(pauseMs, random), signal);
  }

  await letGo(deps);
}

/**
 * Makes etcd agree with the judgement, as far as it answers.
 * @param before the outcome of the turn before. @returns the outcome in words.
 */
async function agree(
  { registration, observer }: WatchdogDeps,
  health: Health,
  result: ProbeResult,
  before: string,
  notices: Notices,
  signal: AbortSignal,
): Promise<string> {
  try {
    if (isUp(health)) {
      // A failing backend that is not down yet keeps its key, but nothing renews it.
      if (!result.passed) return registration.remainingMs > 0 ? before : 'expired';
      const held = await registration.hold(result, signal);
      observer.onRegistration(held.kind);
      return describeHeld(held, notices);
    }
    if (registration.hasLease) {
      await registration.release(signal);
      observer.onRegistration('released');
      notices.clear('claim');
      notices.tell('key', 'info', 'key removed');
    }
    notices.clear('etcd', 'etcd answers again');
    return `not held: ${health.state}`;
  } catch (error) {
    const reason = messageOf(error);
    if (!signal.aborted) {
      observer.onRegistration('failed');
      const text = 'etcd does not do what was asked; trying again at each probe';
      notices.tell('etcd', 'warn', text, { reason });
    }
    return `not known: ${reason}`;
  }
}

function describeHeld(held: Held, notices: Notices): string {
  notices.clear('etcd', 'etcd answers again');
  if (held.kind === 'taken') {
    const { value, leaseId } = held.by;
    const text = 'another watchdog holds the key; standing by until it goes';
    notices.tell('claim', 'warn', text, { value, lease: leaseId });
    return `held by another, as ${value}`;
  }
  notices.clear('claim', 'the other watchdog has let the key go');
  if (held.kind === 'written') {
    // Each writing is news, so the topic must not remember the one before.
    notices.clear('key');
    notices.tell('key', 'info', 'key written', { because: held.because });
  }
  return 'held';
}

function logTransition(log: Log, from: Health, to: Health, result: ProbeResult): void {
  const fields = {
    from: from.state,
    to: to.state,
    probeMs: Math.round(result.durationMs),
    ...(result.passed ? {} : { reason: result.reason }),
  };
  const wasUp = isUp(from);
  if (isUp(to) && !wasUp) log.info(fields, 'backend is up');
  else if (to.state === 'down')
    log[from.state === 'rising' ? 'info' : 'warn'](fields, 'backend is down');
  else log.info(fields, `backend is ${to.state}`);
}

async function letGo({ registration, log, observer }: WatchdogDeps): Promise<void> {
  if (!registration.hasLease) return;
  try {
    await registration.release(new AbortController().signal);
    observer.onRegistration('released');
    log.info('key removed: shutting down');
  } catch (error) {
    const expiresInMs = Math.round(registration.remainingMs);
    log.warn({ reason: messageOf(error), expiresInMs }, 'key not removed: it goes with its lease');
  }
}
