/**
 * When what is wanted becomes what nginx is brought to. Pure.
 *
 * The first file never waits. A removal goes at once; one whose key vanished waits for up to
 * 50 ms, in which a mass expiry shows for what it is. Additions wait for a quiet moment, and
 * no longer than their maximum; and while too many old generations of nginx still live, until
 * one of them has ended.
 *
 * Whatever comes, the number of reloads is bounded by time: each takes a token, of which there are
 * ten, and one more every half second. Additions leave half of them to removals.
 */
import type { Difference } from './difference.ts';

export const pacingTimes = {
  /** etcd ends the leases that expired together one after the other, each within milliseconds. */
  removalMs: 50,
  tokens: 10,
  /** Thus at most two reloads a second, when the first ten are spent. */
  tokenEveryMs: 500,
  /** Additions leave so many to removals. */
  keptForRemovals: 5,
} as const;

export interface PacingRule {
  /** Additions wait until no further change has come for this long. */
  readonly settleMs: number;
  /** The first of them waits no longer than this. */
  readonly settleMaxMs: number;
  /** While so many generations of nginx live, additions wait. */
  readonly maxGenerations: number;
}

export interface Pacing {
  readonly tokens: number;
  readonly tokensAtMs: number;
  /** Since when something is wanted that nginx has not been brought to. */
  readonly waitingSinceMs: number | undefined;
  /** Since when something is there that should go. */
  readonly removalSinceMs: number | undefined;
  /** When what is wanted last changed. */
  readonly changedAtMs: number;
}

export const freshPacing: Pacing = {
  tokens: pacingTimes.tokens,
  tokensAtMs: 0,
  waitingSinceMs: undefined,
  removalSinceMs: undefined,
  changedAtMs: 0,
};

/** What is wanted now, beside what nginx was last brought to. */
export interface Wish {
  /** 'first': nginx was not brought to anything yet, or the configuration itself changed. */
  readonly difference: Difference | 'first';
  /** What is wanted is not what was wanted at the last look. */
  readonly changed: boolean;
  /** When the change arrived. */
  readonly arrivedAtMs: number;
}

export function foldPacing(
  before: Pacing,
  { difference, changed, arrivedAtMs }: Wish,
  nowMs: number,
): Pacing {
  const { tokens: most, tokenEveryMs } = pacingTimes;
  const earned = Math.floor((nowMs - before.tokensAtMs) / tokenEveryMs);
  const tokens = Math.min(most, before.tokens + earned);
  const waits = difference !== 'none';
  const goes = difference === 'lost' || difference === 'moved';
  return {
    tokens,
    // A full bucket earns nothing: the time until its next token begins when one is taken.
    tokensAtMs: tokens === most ? nowMs : before.tokensAtMs + earned * tokenEveryMs,
    waitingSinceMs: waits ? (before.waitingSinceMs ?? arrivedAtMs) : undefined,
    removalSinceMs: goes ? (before.removalSinceMs ?? arrivedAtMs) : undefined,
    changedAtMs: changed ? arrivedAtMs : before.changedAtMs,
  };
}

export type Pace =
  | { readonly due: true }
  | { readonly due: false; readonly forMs: number; readonly because: PaceReason };

export type PaceReason = 'nothing new' | 'settling' | 'reloads' | 'generations';

export interface Surroundings {
  /** A backend that just vanished may be one of many. */
  readonly doubtful: boolean;
  /** Of nginx; undefined: its processes cannot be seen. */
  readonly livingGenerations: number | undefined;
  /** Undefined: for what waits for something other than time, look again then. */
  readonly tickMs: number;
}

export function paceOf(
  pacing: Pacing,
  { difference }: Wish,
  { doubtful, livingGenerations, tickMs }: Surroundings,
  rule: PacingRule,
  nowMs: number,
): Pace {
  const { tokens, tokensAtMs, waitingSinceMs, removalSinceMs, changedAtMs } = pacing;
  const { removalMs, keptForRemovals, tokenEveryMs } = pacingTimes;
  const wait = (untilMs: number, because: PaceReason): Pace => ({
    ...{ due: false, because, forMs: Math.max(1, untilMs - nowMs) },
  });
  const nextToken = () => wait(tokensAtMs + tokenEveryMs, 'reloads');
  if (difference === 'none' || waitingSinceMs === undefined) {
    return { due: false, forMs: tickMs, because: 'nothing new' };
  }
  if (difference === 'first') return { due: true };
  if (difference === 'gained') {
    const settledAtMs = Math.min(changedAtMs + rule.settleMs, waitingSinceMs + rule.settleMaxMs);
    if (nowMs < settledAtMs) return wait(settledAtMs, 'settling');
    if (livingGenerations !== undefined && livingGenerations >= rule.maxGenerations) {
      return wait(nowMs + tickMs, 'generations');
    }
    return tokens > keptForRemovals ? { due: true } : nextToken();
  }
  const sinceMs = removalSinceMs ?? waitingSinceMs;
  if (difference === 'lost' && doubtful && nowMs < sinceMs + removalMs) {
    return wait(sinceMs + removalMs, 'settling');
  }
  return tokens > 0 ? { due: true } : nextToken();
}

/** What is wanted is what nginx is being brought to: that takes a reload. */
export const taken = (pacing: Pacing): Pacing => ({
  ...pacing,
  tokens: Math.max(0, pacing.tokens - 1),
  waitingSinceMs: undefined,
  removalSinceMs: undefined,
});
