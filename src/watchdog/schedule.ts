/**
 * When the next probe begins. Pure.
 *
 * While all goes well there is one probe at a time, with a pause in between. A probe that
 * takes longer than this backend has lately taken is not waited out alone: companions
 * start beside it, as many as would be needed to make up `fall`, so that a hang costs one
 * timeout and not `fall` of them. A backend that is merely slow soon counts as slow, and
 * is left alone.
 */
import { type Health, isInDoubt, isUp } from './health.ts';
import type { FailureKind } from './probe/result.ts';
import { type Cadence, companionSpacingMs, mostInFlight, withJitter } from './timing.ts';

/** No hesitation shorter than this is suspicious, however quick the backend usually is. */
const leastSuspicionMs = 100;

/** After an alarm, refused connections are counted up to `fall` at this pace. */
const urgentPauseMs = 25;

/** So many passes are remembered: the slowest of them is how slow this backend usually is. */
const rememberedPasses = 20;

export const remember = (durationsMs: readonly number[], durationMs: number) =>
  [...durationsMs, durationMs].slice(-rememberedPasses);

/**
 * From when on a probe is suspicious: three times what was the slowest of late; but where
 * that would come near the timeout, half way between the two.
 */
export function suspiciousAfterMs(durationsMs: readonly number[], timeoutMs: number): number {
  const usualMs = Math.min(Math.max(0, ...durationsMs), timeoutMs);
  return Math.min(Math.max(3 * usualMs, leastSuspicionMs), (usualMs + timeoutMs) / 2);
}

export interface Probing {
  readonly health: Health;
  /** When the probes in flight began, oldest first. */
  readonly inFlightSinceMs: readonly number[];
  /** When the last probe began, and when the last one ended; before the first one: -Infinity. */
  readonly lastStartMs: number;
  readonly lastEndMs: number;
  /** The pause that was drawn when the last one ended. */
  readonly pauseMs: number;
  /** The last connection closed, and no probe has passed since. */
  readonly alarmed: boolean;
  readonly suspiciousAfterMs: number;
  /** The last one timed out. */
  readonly timedOut: boolean;
}

/** @returns when the next probe begins; Infinity: not before one of those in flight has ended. */
export function nextProbeAtMs(probing: Probing, { fall }: Pick<Cadence, 'fall'>): number {
  const { health, inFlightSinceMs, lastStartMs, lastEndMs, pauseMs } = probing;
  const [oldestMs] = inFlightSinceMs;
  // Nothing is left to be suspected: what is missing to `fall` begins.
  const isHanging = probing.timedOut && health.state === 'failing';
  if (oldestMs === undefined) {
    if (isHanging) return lastEndMs;
    const atOnce = probing.alarmed && health.state === 'up';
    return atOnce ? lastEndMs : lastEndMs + pauseMs;
  }
  if (!isUp(health)) return Number.POSITIVE_INFINITY;
  const failures = health.state === 'failing' ? health.failures : 0;
  const together = Math.min(fall - failures, mostInFlight);
  if (inFlightSinceMs.length >= together) return Number.POSITIVE_INFINITY;
  if (isHanging) return lastStartMs + companionSpacingMs;
  return Math.max(oldestMs + probing.suspiciousAfterMs, lastStartMs + companionSpacingMs);
}

export interface Ended {
  readonly before: Health;
  readonly after: Health;
  /** Why it failed; undefined: it passed. */
  readonly kind: FailureKind | undefined;
  readonly alarmed: boolean;
}

/** The pause after a probe. */
export function drawPauseMs(
  { before, after, kind, alarmed }: Ended,
  { intervalMs, fastIntervalMs }: Cadence,
  random: () => number,
): number {
  // A thousand sidecars that start together would otherwise probe together for minutes.
  if (isUp(after) && !isUp(before)) return intervalMs * random();
  if (!isInDoubt(after)) return withJitter(intervalMs, random);
  const isGone = after.state === 'failing' && (kind === 'refused' || kind === 'reset');
  if (alarmed && isGone) return Math.min(urgentPauseMs, fastIntervalMs);
  return withJitter(fastIntervalMs, random);
}
