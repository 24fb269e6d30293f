/**
 * Credentials that follow their files: those are rotated while we run. The files are looked at
 * by whoever uses them, at most every few seconds and beside the call, so that a file system
 * that hangs holds nothing up. What cannot be used changes nothing, and is told once.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../lib/clock.ts';
import { ChangedFiles } from './changed-files.ts';
import type { EtcdCredentials, EtcdFiles } from './credentials.ts';
import type { OnEtcdEvent } from './events.ts';

export const lookEveryMs = 2000;

export class RotatingCredentials {
  readonly #files: ChangedFiles;
  readonly #areNone: boolean;
  readonly #clock: Clock;
  readonly #onEvent: OnEtcdEvent;
  #current: EtcdCredentials;
  #change = new AbortController();
  #lookedAtMs: number;
  #looking = false;
  #told: string | undefined;

  constructor(files: EtcdFiles, first: EtcdCredentials, clock: Clock, onEvent: OnEtcdEvent) {
    this.#files = new ChangedFiles(files);
    this.#areNone = Object.values(files).every((path) => path === undefined);
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
    if (this.#areNone || this.#looking) return;
    if (this.#clock.now() - this.#lookedAtMs < lookEveryMs) return;
    this.#looking = true;
    void this.#follow().finally(() => {
      this.#looking = false;
      this.#lookedAtMs = this.#clock.now();
    });
  }

  async #follow(): Promise<void> {
    const read = await this.#files.readIfChanged();
    if (!read) return;
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
