/**
 * The arithmetic of the watchdog's clocks, pure. What is promised about time is
 * computed here and nowhere else.
 */

/** Whatever is asked of etcd for one turn, on every endpoint in turn, ends within this time. */
export const etcdCallBudgetMs = 1500;

/** Each pause is lengthened by up to this share at random, so that sidecars do not march in step. */
export const jitterShare = 0.1;

/** etcd looks twice a second for leases that ran out (measured: up to 0.49 s late). */
const etcdSweepMs = 500;

/** So many probes at once, at most. */
export const mostInFlight = 4;

/** Companions start this far apart: together they would be one look, not several. */
export const companionSpacingMs = 50;

export interface Cadence {
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
}

const slowest = 1 + jitterShare;

/**
 * The longest time between two renewals of a backend that never went down: a
 * pass, then fall - 1 failures that each take the whole timeout, then a pass that
 * takes the whole timeout, and a renewal that takes the whole budget. A TTL below
 * this would remove a backend that the judgement still calls up. The budget is counted
 * once: an etcd that is that slow for two renewals in a row is away, and its key goes
 * and comes back with the next probe that it hears of.
 */
export function longestRenewalGapMs({ intervalMs, fastIntervalMs, timeoutMs, fall }: Cadence) {
  const doubtMs = (fall - 1) * (timeoutMs + fastIntervalMs * slowest);
  return intervalMs * slowest + doubtMs + timeoutMs + etcdCallBudgetMs;
}

/** `random` in 0..1 lengthens the pause; it never shortens it. */
export const withJitter = (pauseMs: number, random: () => number) =>
  pauseMs * (1 + jitterShare * random());

/** How long after its probe began a pass still counts as fresh: the probe itself, and a short stall. */
export const evidenceMs = (timeoutMs: number) => timeoutMs + 1000;

/** How long after its own deadline a probe or a call to etcd is taken for stuck. */
export const stuckAfterMs = 1000;

/** A lease is renewed no more often than this, however often a probe passes. */
export const renewEveryMs = (ttlMs: number) => Math.min(500, ttlMs / 5);

/** The longest time that a key can outlive the right to it. */
export interface Bounds {
  /** The backend refuses connections, and etcd answers. */
  readonly deadMs: number;
  /** The backend accepts and does not answer, and etcd answers. */
  readonly hungMs: number;
  /** The watchdog is killed or frozen: nobody renews, and nobody deletes. */
  readonly unwatchedMs: number;
  /** The backend is dead or hung, and etcd does not take the removal: its lease runs out. */
  readonly unansweredMs: number;
}

/**
 * Valid while the processes get to run and etcd keeps its leader: a new leader begins
 * every lease anew, once. The death-watch usually finds a death in milliseconds; what is
 * promised here does not count on it, since a connection may vanish without a sign.
 *
 * @param ttlMs as granted.
 */
export function bounds(cadence: Cadence, ttlMs: number): Bounds {
  const { intervalMs, fastIntervalMs, timeoutMs, fall } = cadence;
  const noticedMs = intervalMs * slowest;
  // A probe that is under way when all others begin to be refused may still hang.
  const refusedMs = Math.max(noticedMs, timeoutMs);
  const unwatchedMs = ttlMs + etcdSweepMs;
  // The companions begin when the first is suspicious, before its timeout at the latest.
  const companionsMs = fall === 1 ? 0 : timeoutMs + (fall - 2) * companionSpacingMs;
  const rounds = Math.ceil(fall / mostInFlight);
  return {
    deadMs: refusedMs + (fall - 1) * fastIntervalMs * slowest + etcdCallBudgetMs,
    hungMs: noticedMs + companionsMs + rounds * timeoutMs + etcdCallBudgetMs,
    unwatchedMs,
    // From a pass as old as may be, by a renewal that etcd took at the last try.
    unansweredMs: evidenceMs(timeoutMs) + etcdCallBudgetMs + unwatchedMs,
  };
}
