/**
 * No wait without an end: `withDeadline` settles when the work does, when the
 * time is up, or when the caller's signal aborts, whichever is first. The work
 * is told through its signal; work that does not listen is left behind, and
 * whatever it does later is ignored.
 */
import type { Clock } from './clock.ts';
import { DeadlineError } from './errors.ts';

export interface Deadline {
  /** Named in the error: "etcd range", "nginx -t". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** One for all: nobody looks at it, and a new one each time costs a stack trace. */
const over = new Error('the work has ended');

/**
 * @throws DeadlineError when the time is up; the signal's reason when the caller
 * aborted; else whatever the work threw.
 */
export async function withDeadline<T>(
  { what, timeoutMs, clock }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const ended = new AbortController();
  const inner = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
  const timeUp = clock.sleep(timeoutMs, inner).then(() => {
    signal?.throwIfAborted();
    throw new DeadlineError(what, timeoutMs);
  });
  // The loser of the race may reject later, with nobody listening.
  timeUp.catch(() => {});
  try {
    const result = work(inner);
    result.catch(() => {});
    return await Promise.race([result, timeUp]);
  } finally {
    ended.abort(over);
  }
}
