/**
 * Bounded exponential back-off with jitter, as a pure function of the attempt.
 * Half of the delay is fixed, so that a retry never follows at once, and half is
 * random, so that a thousand sidecars do not return in step.
 */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** The pause after the `attempt`-th failure in a row, counted from 1. */
export function backoffMs(attempt: number, { firstMs, maxMs }: Backoff, random: () => number) {
  const fullMs = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return fullMs / 2 + (random() * fullMs) / 2;
}
