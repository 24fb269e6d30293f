/**
 * Credentials that follow their files: those are rotated while we run. The files are looked at
 * by whoever uses them, at most every few seconds and beside the call, so that a file system
 * that hangs holds nothing up. What cannot be used changes nothing, and is told once.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../lib/clock.ts';
import { type EtcdCredentials, type EtcdFiles, readCredentials } from './credentials.ts';
import type { OnEtcdEvent } from './events.ts';

export const lookEveryMs = 2000;

export class RotatingCredentials {
  readonly #files: EtcdFiles;
  readonly #clock: Clock;
  readonly #onEvent: OnEtcdEvent;
  #current: EtcdCredentials;
  #change = new AbortController();
  #lookedAtMs: number;
  #looking = false;
  #told: string | undefined;

  constructor(files: EtcdFiles, first: EtcdCredentials, clock: Clock, onEvent: OnEtcdEvent) {
    this.#files = files;
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#current = first;
    this.#lookedAtMs = clock.now();
  }

  get current(): EtcdCredentials {
    return this.#current;
  }

  /** Aborts when `current` becomes another. */
  get changed(): AbortSignal {
    return this.#change.signal;
  }

  /** Returns at once. */
  look(): void {
    if (this.#looking || this.#clock.now() - this.#lookedAtMs < lookEveryMs) return;
    if (Object.values(this.#files).every((path) => path === undefined)) return;
    this.#looking = true;
    void this.#read().finally(() => {
      this.#looking = false;
      this.#lookedAtMs = this.#clock.now();
    });
  }

  async #read(): Promise<void> {
    const read = await readCredentials(this.#files);
    if (!read.ok) {
      if (read.reason === this.#told) return;
      this.#told = read.reason;
      return this.#onEvent({ kind: 'credentials-kept', reason: read.reason });
    }
    this.#told = undefined;
    if (isDeepStrictEqual(read.value, this.#current)) return;
    this.#current = read.value;
    const change = this.#change;
    this.#change = new AbortController();
    change.abort();
    this.#onEvent({ kind: 'credentials-changed' });
  }
}
