/**
 * A doorbell between a source of changes and the loop that looks at them. It
 * carries no data: a ring means "look again", many rings before a look are one,
 * and a ring while nobody waits is kept for the next wait. A lost ring costs one
 * tick, never a change.
 */
import type { Clock } from './clock.ts';

/** One for all: a new one each time costs a stack trace. */
const rung = new Error('rung');

export class Wakeup {
  #rung = false;
  #ring: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#ring?.();
  }

  /** Resolves at the next ring, after `maxMs`, or when `signal` aborts. */
  async wait(maxMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#rung) {
      const answered = new AbortController();
      this.#ring = () => answered.abort(rung);
      await clock.sleep(maxMs, AbortSignal.any([signal, answered.signal]));
      this.#ring = undefined;
    }
    this.#rung = false;
  }
}
