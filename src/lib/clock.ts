/**
 * Time as a parameter. Every wait in rollcall goes through a Clock, so that the
 * same loops run on a virtual one. `now` is monotonic: the wall clock may jump,
 * a deadline may not.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Monotonic milliseconds since an arbitrary start. It counts while the process is stopped. */
  now(): number;
  /** The wall clock, for people and logs only. */
  date(): Date;
  /** Resolves after `ms`, or as soon as `signal` aborts: the caller looks at the signal. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  sleep: async (ms, signal) => {
    try {
      await delay(Math.max(0, ms), undefined, signal ? { signal } : {});
    } catch {
      // Only an abort rejects, and an abort ends the sleep.
    }
  },
};
