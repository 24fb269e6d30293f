/**
 * Waits until a condition holds, looking again and again, and says how long that took. Every wait
 * has a deadline, and one that is missed says what was expected and what was last seen.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Wait {
  /** Completes the sentence "expected ... within 5.0 s". */
  readonly expected: string;
  readonly withinMs: number;
  readonly everyMs?: number;
}

/** What was seen: true, or in words what stands in the way. */
export type Look = true | string;

export async function waitUntil(
  { expected, withinMs, everyMs = 25 }: Wait,
  look: () => Look | Promise<Look>,
  signal?: AbortSignal,
): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const seen = await look();
    const tookMs = performance.now() - startedAt;
    // What holds only after the deadline is as late as what never does.
    if (tookMs > withinMs) {
      const last = seen === true ? `that only after ${inSeconds(tookMs)}` : seen;
      throw new Error(`expected ${expected} within ${inSeconds(withinMs)}, seen: ${last}`);
    }
    if (seen === true) return tookMs;
    await sleep(everyMs, undefined, signal ? { signal } : {});
  }
}

const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
