/**
 * What to do next so that nginx serves what is wanted. Pure, and level-triggered: it
 * compares what is wanted with the file on disk and with what nginx itself answers,
 * never with what was done before. So a reload that was lost, an nginx that was
 * restarted and a file that was changed by hand are all the same case.
 */
import { type Backoff, backoffMs } from '../../lib/backoff.ts';

/** What nginx answers when asked which generation it serves. */
export type NginxAnswer =
  | { readonly kind: 'serves'; readonly generation: string }
  /** It says that it does not: nothing listens, or something else answers. */
  | { readonly kind: 'silent'; readonly reason: string }
  /** No answer in time: it says nothing at all, and may be busy. */
  | { readonly kind: 'late'; readonly reason: string };

export type Step = 'swap' | 'reload' | 'confirm';

export interface Failure {
  readonly generation: string;
  readonly step: Step;
  readonly reason: string;
  readonly attempts: number;
  readonly retryAtMs: number;
}

export interface Rollout {
  /** The generation that the file on disk holds; undefined: no file of ours. */
  readonly onDisk: string | undefined;
  readonly answer: NginxAnswer;
  /** Since when every answer has been this one. */
  readonly answeredSinceMs: number;
  /** The reload that has been asked for and not been answered yet. */
  readonly reload: { readonly generation: string; readonly atMs: number } | undefined;
  readonly failure: Failure | undefined;
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
  swap: { firstMs: 500, maxMs: 30_000 },
  reload: { firstMs: 500, maxMs: 30_000 },
  confirm: { firstMs: 4000, maxMs: 300_000 },
};

export const nothingObserved: Rollout = {
  onDisk: undefined,
  answer: { kind: 'silent', reason: 'not asked yet' },
  answeredSinceMs: 0,
  reload: undefined,
  failure: undefined,
};

const serves = (answer: NginxAnswer, generation: string) =>
  answer.kind === 'serves' && answer.generation === generation;

const sameAnswer = (a: NginxAnswer, b: NginxAnswer) =>
  a.kind === 'serves' && b.kind === 'serves' ? a.generation === b.generation : a.kind === b.kind;

/** Folds in what the disk and nginx have just said. */
export function observe(
  before: Rollout,
  { onDisk, answer }: Pick<Rollout, 'onDisk' | 'answer'>,
  nowMs: number,
): Rollout {
  if (sameAnswer(before.answer, answer)) return { ...before, onDisk, answer };
  // nginx came, went or changed: what failed before deserves a new try at once. A refusal
  // of the file itself stays, since it does not depend on what nginx runs.
  const failure = before.failure?.step === 'swap' ? before.failure : undefined;
  return { ...before, onDisk, answer, answeredSinceMs: nowMs, failure };
}

export type Decision =
  /** Render, stage, check and swap, then reload. */
  | { readonly kind: 'swap' }
  | { readonly kind: 'reload' }
  /** The reload had its time. */
  | { readonly kind: 'give up'; readonly reason: string }
  | { readonly kind: 'wait'; readonly forMs: number }
  /** nginx serves what is wanted, and nothing older answers. */
  | { readonly kind: 'confirmed' };

export function decide(rollout: Rollout, wanted: string, nowMs: number): Decision {
  const { onDisk, answer, answeredSinceMs, reload, failure } = rollout;
  const { pollMs, tickMs, overlapMs, confirmWithinMs, spacingMs } = rolloutTimes;
  if (failure?.generation === wanted && nowMs < failure.retryAtMs) {
    return { kind: 'wait', forMs: Math.min(tickMs, failure.retryAtMs - nowMs) };
  }
  const inFlight = reload !== undefined && !serves(answer, reload.generation);
  if (inFlight && reload.generation !== wanted && nowMs - reload.atMs < spacingMs) {
    return { kind: 'wait', forMs: pollMs };
  }
  if (onDisk !== wanted) return { kind: 'swap' };
  if (serves(answer, wanted)) {
    // What answered before the reload proves nothing about after it: the pool may have been
    // changed and changed back, and the workers of the change in between are still to come.
    const provenSinceMs = Math.max(answeredSinceMs, reload?.atMs ?? 0);
    return nowMs - provenSinceMs >= overlapMs
      ? { kind: 'confirmed' }
      : { kind: 'wait', forMs: pollMs };
  }
  if (reload?.generation !== wanted) {
    // A reload is more work for an nginx that is too busy to answer, and closes connections.
    return answer.kind === 'late' ? { kind: 'wait', forMs: tickMs } : { kind: 'reload' };
  }
  if (nowMs - reload.atMs < confirmWithinMs) return { kind: 'wait', forMs: pollMs };
  const said = answer.kind === 'serves' ? `still serves ${answer.generation}` : answer.reason;
  return {
    kind: 'give up',
    reason: `nginx did not serve ${wanted} within ${confirmWithinMs} ms of its reload: ${said}`,
  };
}

export const reloaded = (rollout: Rollout, generation: string, atMs: number): Rollout => ({
  ...rollout,
  onDisk: generation,
  reload: { generation, atMs },
});

/** nginx serves what was wanted: what failed on the way is past. */
export const confirmed = (rollout: Rollout): Rollout => ({
  ...rollout,
  reload: undefined,
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
    reload: undefined,
    failure: { generation, step, reason, attempts, retryAtMs },
  };
}
