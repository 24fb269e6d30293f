/**
 * Keeps etcd agreeing with the judgement: decides when it is asked for what, one attempt
 * at a time, beside the probes and never in their way. A verdict of down does not wait for
 * an attempt to hold; a failed attempt is made again, with back-off, without any event.
 */
import { type Backoff, backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Notices } from '../../lib/log.ts';
import { type Health, isUp } from '../health.ts';
import { inWords, isHeld, type Outcome, tell } from './outcome.ts';
import type { ProbeResult } from '../probe/result.ts';
import type { Registration } from './registration.ts';
import { etcdCallBudgetMs, renewEveryMs, stuckAfterMs } from '../timing.ts';

export interface Wanted {
  readonly health: Health;
  /** The key is let go, however the backend is. */
  readonly drained: boolean;
  /** The last probe that was judged. */
  readonly last: ProbeResult;
  readonly record: string;
}

export interface AgreementDeps {
  readonly registration: Pick<Registration, 'hold' | 'drop' | 'remainingMs'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly notices: Notices;
  readonly ttlMs: number;
  readonly evidenceMs: number;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly onFailure: (error: unknown) => void;
  /** An attempt has ended. */
  readonly ring: () => void;
}

const betweenAttempts: Backoff = { firstMs: 200, maxMs: 1000 };

/** A holder with our own value may be a predecessor that was killed: its lease has a last second. */
const lookAtPredecessorEveryMs = 400;

type Verb = 'hold' | 'drop';

const refusedText: Readonly<Record<Verb, string>> = {
  hold: 'etcd does not do what was asked; trying again',
  drop: 'etcd does not do what was asked; trying again, and a key that is still there goes with its lease',
};

interface Attempt {
  readonly verb: Verb;
  readonly startedAtMs: number;
  readonly stop: AbortController;
}

const verbFor = ({ health, drained }: Wanted): Verb => (isUp(health) && !drained ? 'hold' : 'drop');

export class Agreement {
  readonly #deps: AgreementDeps;
  #attempt: Attempt | undefined;
  #outcome: Outcome | undefined;
  #words = 'not held: starting';
  /** Of the last attempt that succeeded. */
  #agreed: { readonly record: string; readonly atMs: number } | undefined;
  /** The probe that the last attempt was made on. */
  #usedStartedAtMs = Number.NEGATIVE_INFINITY;
  #usedTo: Verb | undefined;
  #touched = false;
  #tried = false;
  #failed: { readonly verb: Verb; readonly times: number; readonly retryAtMs: number } | undefined;

  constructor(deps: AgreementDeps) {
    this.#deps = deps;
  }

  /** The key is in etcd, and ours, by all that is known. */
  get isRegistered(): boolean {
    const { registration } = this.#deps;
    // A removal that failed may have taken the key all the same.
    if (!this.#outcome || this.#failed?.verb === 'drop') return false;
    return isHeld(this.#outcome) && registration.remainingMs > 0;
  }

  get words(): string {
    const { registration } = this.#deps;
    const isOver = this.#words === 'held' && registration.remainingMs === 0;
    return isOver ? 'not held: the lease ran out' : this.#words;
  }

  /** An attempt has outlived its deadline: something is wrong that this cannot mend. */
  get isStuck(): boolean {
    const age = this.#deps.clock.now() - (this.#attempt?.startedAtMs ?? Number.POSITIVE_INFINITY);
    return age > etcdCallBudgetMs + stuckAfterMs;
  }

  /** An attempt has been made: something may be in etcd. */
  get hasTried(): boolean {
    return this.#tried;
  }

  /** Somebody has changed the key: look at it. */
  touch(): void {
    this.#touched = true;
  }

  /** Begins what is due. @returns when to call again, at the latest. */
  turn(wanted: Wanted, signal: AbortSignal): number {
    const verb = verbFor(wanted);
    if (this.#attempt) {
      if (this.#attempt.verb === 'hold' && verb === 'drop') this.#attempt.stop.abort();
      return Number.POSITIVE_INFINITY;
    }
    const nowMs = this.#deps.clock.now();
    // What etcd refused for one verdict it may do for the other.
    if (this.#failed?.verb !== verb) this.#failed = undefined;
    const dueAtMs = this.#dueAtMs(wanted, nowMs);
    if (nowMs < dueAtMs) return dueAtMs;
    void this.#attemptTo(verb, wanted, nowMs, signal);
    return Number.POSITIVE_INFINITY;
  }

  #dueAtMs(wanted: Wanted, nowMs: number): number {
    const { last, record } = wanted;
    const { registration, ttlMs, evidenceMs } = this.#deps;
    const isStale = nowMs - last.startedAtMs >= evidenceMs;
    // Without a key to remove there is nothing to be done on an old probe; the next one is news.
    const isHolding = verbFor(wanted) === 'hold';
    if (!isHolding && isStale && registration.remainingMs === 0) {
      return Number.POSITIVE_INFINITY;
    }
    if (this.#failed) return this.#failed.retryAtMs;
    if (!this.#agreed || this.#agreed.record !== record || this.#touched) return nowMs;
    if (this.#outcome?.kind === 'taken' && this.#outcome.sameValue && !isStale) {
      return this.#agreed.atMs + lookAtPredecessorEveryMs;
    }
    const isNews = last.startedAtMs > this.#usedStartedAtMs;
    // A failing backend that is not down yet keeps its key, but nothing renews it.
    if (!isNews || (isHolding && !last.passed)) return Number.POSITIVE_INFINITY;
    return this.#agreed.atMs + renewEveryMs(ttlMs);
  }

  async #attemptTo(
    verb: Verb,
    { health, drained, last, record }: Wanted,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { registration, notices, clock, random, evidenceMs, onOutcome, onFailure, ring } =
      this.#deps;
    const attempt: Attempt = { verb, startedAtMs: nowMs, stop: new AbortController() };
    this.#attempt = attempt;
    this.#tried = true;
    this.#touched = false;
    const within = AbortSignal.any([signal, attempt.stop.signal]);
    // One pass, one renewal, unless nothing came of it. Without one, only what is there is mended.
    const wasInVain = this.#failed !== undefined || this.#outcome?.kind === 'taken';
    const isUnused =
      wasInVain || this.#usedTo === 'drop' || last.startedAtMs > this.#usedStartedAtMs;
    const isEvidence = last.passed && isUnused && nowMs - last.startedAtMs < evidenceMs;
    this.#usedStartedAtMs = last.startedAtMs;
    this.#usedTo = verb;
    try {
      const outcome =
        verb === 'hold'
          ? await registration.hold(isEvidence ? last : undefined, record, within)
          : await registration.drop(last, record, within);
      this.#failed = undefined;
      // A removal has not looked at the record yet: one more turn does.
      this.#agreed = outcome.kind === 'removed' ? undefined : { record, atMs: nowMs };
      this.#outcome = outcome;
      this.#words = inWords(outcome, drained ? 'drained' : health.state);
      for (const one of ['hold', 'drop']) notices.clear(one, 'etcd answers again');
      tell(outcome, notices);
      onOutcome(outcome);
    } catch (error) {
      // Cut short by a verdict or by the end: no failure of etcd.
      if (within.aborted) return;
      const times = (this.#failed?.times ?? 0) + 1;
      const retryAtMs = clock.now() + backoffMs(times, betweenAttempts, random);
      this.#failed = { verb, times, retryAtMs };
      const reason = messageOf(error);
      this.#words = `not known: ${reason}`;
      notices.tell(verb, 'warn', refusedText[verb], { reason });
      onFailure(error);
    } finally {
      this.#attempt = undefined;
      ring();
    }
  }
}
