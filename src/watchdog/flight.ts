/**
 * The probes that are under way. Each rings when it has ended; its result waits until the
 * loop takes it. A probe that is abandoned says nothing any more.
 */
import { messageOf } from '../lib/errors.ts';
import type { ProbeResult } from './probe/result.ts';

interface InFlight {
  readonly startedAtMs: number;
  readonly abandoned: AbortController;
}

export class Flight {
  readonly #probe: (signal: AbortSignal) => Promise<ProbeResult>;
  readonly #ring: () => void;
  readonly #inFlight = new Set<InFlight>();
  #ended: ProbeResult[] = [];

  constructor(probe: (signal: AbortSignal) => Promise<ProbeResult>, ring: () => void) {
    this.#probe = probe;
    this.#ring = ring;
  }

  /** When each of them began, oldest first. */
  get sinceMs(): readonly number[] {
    return [...this.#inFlight].map(({ startedAtMs }) => startedAtMs);
  }

  start(nowMs: number, signal: AbortSignal): void {
    const flying: InFlight = { startedAtMs: nowMs, abandoned: new AbortController() };
    this.#inFlight.add(flying);
    const within = AbortSignal.any([signal, flying.abandoned.signal]);
    this.#probe(within)
      // A probe never throws; should one do so, the loop must not wait for it for ever.
      .catch((error: unknown): ProbeResult => {
        const reason = messageOf(error);
        const timing = { startedAtMs: nowMs, durationMs: 0 };
        return { passed: false, kind: 'other', phase: 'connect', reason, ...timing };
      })
      .then((result) => {
        if (!this.#inFlight.delete(flying)) return;
        this.#ended.push(result);
        this.#ring();
      })
      .catch(() => {});
  }

  /** Those that began earlier can tell nothing new. */
  abandonBefore(startedAtMs: number): void {
    for (const flying of this.#inFlight) {
      if (flying.startedAtMs >= startedAtMs) continue;
      this.#inFlight.delete(flying);
      flying.abandoned.abort();
    }
  }

  /** What has ended since the last call, in the order in which it ended. */
  takeEnded(): readonly ProbeResult[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }
}
