/**
 * Hears of the key being changed by anybody, so that a change made by hand is mended at
 * once and not at the next probe. Only a hint: each turn looks at the key itself anyway,
 * so nothing is lost while there is no watch.
 */
import { type Backoff, backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { LeaseStore } from '../../registry/store.ts';

const betweenWatches: Backoff = { firstMs: 500, maxMs: 10_000 };

/** A watch that lived this long was sound: what ended it was something new. */
const soundAfterMs = 10_000;

export interface KeyWatchDeps {
  readonly store: Pick<LeaseStore, 'watchKey'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onChange: () => void;
}

/** Runs until the signal aborts; never throws. */
export async function followKey(
  key: string,
  { store, clock, random, onChange }: KeyWatchDeps,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const beganAtMs = clock.now();
    await store.watchKey(key, onChange, signal).catch(() => {});
    if (signal.aborted) return;
    failures = clock.now() - beganAtMs > soundAfterMs ? 1 : failures + 1;
    // What happened while nobody watched is looked for by the turn that this rings for.
    onChange();
    await clock.sleep(backoffMs(failures, betweenWatches, random), signal);
  }
}
