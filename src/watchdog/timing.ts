/**
 * The arithmetic of the watchdog's clocks, pure. What is promised about time is
 * computed here and nowhere else.
 */

/** One call to etcd, tried on every endpoint in turn, ends within this time. */
export const etcdCallBudgetMs = 1500;

/** Each pause is lengthened by up to this share at random, so that sidecars do not march in step. */
export const jitterShare = 0.1;

export interface Cadence {
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
}

/**
 * The longest time between two renewals of a backend that never went down: a
 * pass, then fall - 1 failures that each take the whole timeout, then a pass that
 * takes the whole timeout, and a renewal that takes the whole budget. A TTL below
 * this would remove a backend that the judgement still calls up. The budget is counted
 * once: an etcd that is that slow for two renewals in a row is away, and its key goes
 * and comes back with the next probe that it hears of.
 */
export function longestRenewalGapMs({ intervalMs, fastIntervalMs, timeoutMs, fall }: Cadence) {
  const slowest = 1 + jitterShare;
  const doubtMs = (fall - 1) * (timeoutMs + fastIntervalMs * slowest);
  return intervalMs * slowest + doubtMs + timeoutMs + etcdCallBudgetMs;
}

/** `random` in 0..1 lengthens the pause; it never shortens it. */
export const withJitter = (pauseMs: number, random: () => number) =>
  pauseMs * (1 + jitterShare * random());

/** How long after its probe began a pass still counts as fresh: the probe itself, and a short stall. */
export const evidenceMs = (timeoutMs: number) => timeoutMs + 1000;
