/**
 * What to do next so that nginx serves what is wanted. Pure, and level-triggered: it
 * compares what is wanted with what nginx would start on and with what it answers itself,
 * never with what was done before. So a reload that was lost, an nginx that was
 * restarted and a file that was changed by hand are all the same case. How a change is
 * delivered is not known here.
 */
import { type Backoff, backoffMs } from '../../lib/backoff.ts';
import type { NginxAnswer } from '../nginx/answer.ts';
import type { Workers } from '../nginx/workers.ts';
import { noRefusals, type Refusals } from './refusals.ts';

/** Where a delivery can fail: nginx refuses it, it is not written, not told, not served. */
export type Step = 'check' | 'swap' | 'reload' | 'confirm';

export interface Failure {
  readonly generation: string;
  readonly step: Step;
  readonly reason: string;
  readonly attempts: number;
  readonly retryAtMs: number;
}

/** nginx was told of a generation. */
export interface Told {
  readonly generation: string;
  readonly atMs: number;
  /**
   * The workers that took requests just before, where all of them were known to be of the
   * generation before it. Undefined: they cannot be seen, or others were still to come.
   */
  readonly before: readonly number[] | undefined;
}

export interface Rollout {
  /** The generation that nginx would start on; undefined: none of ours. */
  readonly atRest: string | undefined;
  readonly answer: NginxAnswer;
  /** The last answer that was one: an nginx that is late has not changed. */
  readonly lastWord: NginxAnswer;
  /** Since when every answer has been this one. */
  readonly answeredSinceMs: number;
  readonly workers: Workers | undefined;
  /** What nginx was told last and has not been confirmed yet. */
  readonly told: Told | undefined;
  /** Nothing older than the answer takes requests: no older worker is still to come or to go. */
  readonly settled: boolean;
  readonly failure: Failure | undefined;
  /** What nginx did not take. */
  readonly refusals: Refusals;
}

export const rolloutTimes = {
  /**
   * Old workers answer for about 100 ms after the first answer of the new ones
   * (nginx's master sleeps that long). Only new answers for longer than that, with
   * room for a slow machine, mean that the old ones take no more requests.
   */
  overlapMs: 300,
  /** A reload that nginx has not answered with the new generation by then was refused or lost. */
  confirmWithinMs: 5000,
  /** A reload that nginx has not answered yet holds back the next one for this long at most. */
  spacingMs: 200,
  /** While something is awaited, nginx is asked this often. */
  pollMs: 20,
  /** While nothing is: how long a restarted or reconfigured nginx can go unnoticed. */
  tickMs: 500,
} as const;

/** A file that nginx took back once stands on disk for as short a share of the time as may be. */
const retries: Readonly<Record<Step, Backoff>> = {
  check: { firstMs: 500, maxMs: 30_000 },
  swap: { firstMs: 500, maxMs: 30_000 },
  reload: { firstMs: 500, maxMs: 30_000 },
  confirm: { firstMs: 4000, maxMs: 60_000 },
};

export const nothingObserved: Rollout = {
  atRest: undefined,
  answer: { kind: 'silent', reason: 'not asked yet' },
  lastWord: { kind: 'silent', reason: 'not asked yet' },
  answeredSinceMs: 0,
  workers: undefined,
  told: undefined,
  settled: false,
  failure: undefined,
  refusals: noRefusals,
};

const serves = (answer: NginxAnswer, generation: string) =>
  answer.kind === 'serves' && answer.generation === generation;

const sameAnswer = (a: NginxAnswer, b: NginxAnswer) =>
  a.kind === 'serves' && b.kind === 'serves' ? a.generation === b.generation : a.kind === b.kind;

/** Folds in what the disk, nginx and its processes have just said. */
export function observe(
  before: Rollout,
  { atRest, answer, workers }: Pick<Rollout, 'atRest' | 'answer' | 'workers'>,
  nowMs: number,
): Rollout {
  const anotherMaster =
    before.workers !== undefined &&
    workers !== undefined &&
    workers.master !== before.workers.master;
  const lastWord = answer.kind === 'late' ? before.lastWord : answer;
  const isSame = sameAnswer(before.answer, answer) && !anotherMaster;
  const answeredSinceMs = isSame ? before.answeredSinceMs : nowMs;
  const seen = { ...before, atRest, answer, lastWord, workers, answeredSinceMs };
  if (sameAnswer(before.lastWord, lastWord) && !anotherMaster) return seen;
  // nginx came, went or changed: what failed before deserves a new try at once. A refusal
  // of the file itself stays, since it does not depend on what nginx runs.
  const step = before.failure?.step;
  const failure = step === 'check' || step === 'swap' ? before.failure : undefined;
  return { ...seen, failure, settled: false, refusals: noRefusals };
}

export type Decision =
  /** Bring it to nginx: the file, where another one is at rest, and the word to load it. */
  | { readonly kind: 'deliver' }
  /** What was told had its time. */
  | { readonly kind: 'give up'; readonly reason: string }
  | { readonly kind: 'wait'; readonly forMs: number }
  /** nginx serves what is wanted, and nothing older takes requests. */
  | { readonly kind: 'confirmed' };

export function decide(rollout: Rollout, wanted: string, nowMs: number): Decision {
  const { atRest, answer, told, failure } = rollout;
  const { pollMs, tickMs, confirmWithinMs, spacingMs } = rolloutTimes;
  if (failure?.generation === wanted && nowMs < failure.retryAtMs) {
    return { kind: 'wait', forMs: Math.min(tickMs, failure.retryAtMs - nowMs) };
  }
  const inFlight = told !== undefined && !serves(answer, told.generation);
  if (inFlight && told.generation !== wanted && nowMs - told.atMs < spacingMs) {
    return { kind: 'wait', forMs: pollMs };
  }
  if (atRest !== wanted) return { kind: 'deliver' };
  if (serves(answer, wanted)) {
    return isAlone(rollout, nowMs) ? { kind: 'confirmed' } : { kind: 'wait', forMs: pollMs };
  }
  if (told?.generation !== wanted) {
    // A reload is more work for an nginx that is too busy to answer, and closes connections.
    return answer.kind === 'late' ? { kind: 'wait', forMs: tickMs } : { kind: 'deliver' };
  }
  if (nowMs - told.atMs < confirmWithinMs) return { kind: 'wait', forMs: pollMs };
  const said = answer.kind === 'serves' ? `still serves ${answer.generation}` : answer.reason;
  return {
    kind: 'give up',
    reason: `nginx did not serve ${wanted} within ${confirmWithinMs} ms of its reload: ${said}`,
  };
}

/** Does nothing older than what nginx answers take requests any more? */
function isAlone(rollout: Rollout, nowMs: number): boolean {
  const { answeredSinceMs, told, workers, settled } = rollout;
  const { overlapMs, confirmWithinMs } = rolloutTimes;
  if (settled && told === undefined) return true;
  if (told?.before !== undefined && workers !== undefined) {
    const older = new Set(told.before);
    if (!workers.serving.some((pid) => older.has(pid))) return true;
    // They stay where nginx did not reload what it serves already: then their answers count.
    if (nowMs - told.atMs < confirmWithinMs) return false;
  }
  // What answered before the reload proves nothing about after it: the pool may have been
  // changed and changed back, and the workers of the change in between are still to come.
  const provenSinceMs = Math.max(answeredSinceMs, told?.atMs ?? 0);
  return nowMs - provenSinceMs >= overlapMs;
}

/** nginx was told. @param before the workers that took requests just before that. */
export const toldOf = (
  rollout: Rollout,
  generation: string,
  before: Workers | undefined,
  atMs: number,
): Rollout => ({
  ...rollout,
  atRest: generation,
  // Where the generation before was not settled, some of its workers may not have been there yet.
  told: { generation, atMs, before: rollout.settled ? before?.serving : undefined },
  settled: false,
});

/** nginx serves what was wanted: what failed on the way is past. */
export const confirmed = (rollout: Rollout): Rollout => ({
  ...rollout,
  told: undefined,
  settled: true,
  failure: undefined,
});

export function failed(
  rollout: Rollout,
  { generation, step, reason }: Pick<Failure, 'generation' | 'step' | 'reason'>,
  nowMs: number,
  random: () => number,
): Rollout {
  const again = rollout.failure?.generation === generation && rollout.failure.step === step;
  const attempts = again ? (rollout.failure?.attempts ?? 0) + 1 : 1;
  const retryAtMs = nowMs + backoffMs(attempts, retries[step], random);
  return {
    ...rollout,
    told: undefined,
    failure: { generation, step, reason, attempts, retryAtMs },
  };
}
