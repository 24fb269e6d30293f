/**
 * Hears of something being changed in etcd by anybody, so that it is looked at at once and not
 * when it would be looked at anyway. Only a hint: whoever is rung for looks by itself as well, so
 * nothing is lost while there is no watch.
 */
import { type Backoff, backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { LeaseStore, Place } from './store.ts';

const betweenWatches: Backoff = { firstMs: 500, maxMs: 10_000 };

/** A watch that lived this long was sound: what ended it was something new. */
const soundAfterMs = 10_000;

export interface FollowDeps {
  readonly store: Pick<LeaseStore, 'watchPlaces'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onChange: () => void;
}

/** Runs until the signal aborts; never throws. */
export async function follow(
  places: readonly Place[],
  { store, clock, random, onChange }: FollowDeps,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const beganAtMs = clock.now();
    await store.watchPlaces(places, onChange, signal).catch(() => {});
    if (signal.aborted) return;
    failures = clock.now() - beganAtMs > soundAfterMs ? 1 : failures + 1;
    // What happened while nobody watched is looked for by the turn that this rings for.
    onChange();
    await clock.sleep(backoffMs(failures, betweenWatches, random), signal);
  }
}
