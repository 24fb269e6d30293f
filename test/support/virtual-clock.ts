/**
 * A clock that stands still until it is told to go on. `advance` wakes the sleepers in the order
 * of their times, and lets each one's work come to rest before the next: what took 15 s of waiting
 * takes none, and nothing depends on the machine.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/lib/clock.ts';

export interface VirtualClock extends Clock {
  advance(ms: number): Promise<void>;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

export function virtualClock(): VirtualClock {
  const sleepers = new Set<Sleeper>();
  let nowMs = 0;
  return {
    now: () => nowMs,
    date: () => new Date(Date.UTC(2026, 0, 1) + nowMs),

    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { atMs: nowMs + Math.max(0, ms), wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake);
        if (signal?.aborted) wake();
      }),

    advance: async (ms) => {
      const endMs = nowMs + ms;
      for (;;) {
        await nextTurn();
        const next = [...sleepers].toSorted((a, b) => a.atMs - b.atMs)[0];
        if (!next || next.atMs > endMs) break;
        nowMs = next.atMs;
        next.wake();
      }
      nowMs = endMs;
    },
  };
}

/** A signal that nobody aborts. */
export const never = new AbortController().signal;
