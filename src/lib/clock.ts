/**
 * Time as a parameter. Every wait in rollcall goes through a Clock, so that the
 * same loops run on a virtual one. `now` is monotonic: the wall clock may jump,
 * a deadline may not.
 */
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
  // Not timers/promises: an aborted sleep would make an error that nobody looks at, many a second.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, Math.max(0, ms));
      signal?.addEventListener('abort', end, { once: true });
    }),
};
