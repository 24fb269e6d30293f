/**
 * Keeps in etcd what the balancer has confirmed, on a lease of its own. Level-triggered: each
 * round compares what is to be said with what etcd holds, so a lease that ran out, a key that was
 * deleted by hand and a wiped etcd are all the same case. Nothing is written while nothing
 * changes; the lease is renewed three times in its TTL.
 *
 * The lease keeps no backend. It is renewed for as long as the process turns, whatever nginx says:
 * an nginx whose balancer is gone counts as gone for a drain, so it must not go too soon.
 */
import { type Backoff, backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { Wakeup } from '../lib/wakeup.ts';
import type { LeaseStore, Write } from '../registry/store.ts';

export interface AcknowledgerDeps {
  readonly store: Pick<
    LeaseStore,
    'grantLease' | 'renewLease' | 'revokeLease' | 'readKeys' | 'change'
  >;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onEvent: (event: AcknowledgerEvent) => void;
}

export type AcknowledgerEvent =
  | { readonly kind: 'written'; readonly keys: number }
  /** The lease ran out, or etcd is not what it was: what was said went with it. */
  | { readonly kind: 'lost' }
  /** Of what was written, something was gone or changed. */
  | { readonly kind: 'repaired'; readonly keys: number }
  | { readonly kind: 'failed'; readonly reason: string }
  /** After a failure: etcd holds what is to be said. */
  | { readonly kind: 'agrees' };

interface Held {
  readonly leaseId: string;
  readonly ttlMs: number;
  readonly renewedAtMs: number;
}

const retries: Backoff = { firstMs: 250, maxMs: 5000 };

export class Acknowledger {
  readonly #deps: AcknowledgerDeps;
  readonly #bell = new Wakeup();
  /** What is to be said, by key. */
  #wanted: ReadonlyMap<string, string> = new Map();
  /** What etcd was last known to hold of it. */
  #written: ReadonlyMap<string, string> = new Map();
  #held: Held | undefined;

  constructor(deps: AcknowledgerDeps) {
    this.#deps = deps;
  }

  /** By key. The same again costs nothing. */
  say(wanted: ReadonlyMap<string, string>): void {
    this.#wanted = wanted;
    if (differing(wanted, this.#written).length > 0) this.#bell.ring();
  }

  /** Runs until the signal aborts, then gives the lease back; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, ttlMs, onEvent } = this.#deps;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#round(signal);
        if (failures > 0) onEvent({ kind: 'agrees' });
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        // It may have failed because the lease is gone: the next round asks.
        if (this.#held) this.#held = { ...this.#held, renewedAtMs: Number.NEGATIVE_INFINITY };
        onEvent({ kind: 'failed', reason: messageOf(error) });
      }
      const pauseMs = failures > 0 ? backoffMs(failures, retries, random) : ttlMs / 3;
      if (failures > 0) await clock.sleep(pauseMs, signal);
      else await this.#bell.wait(pauseMs, clock, signal);
    }
    await this.#giveBack();
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { store, onEvent } = this.#deps;
    if (this.#wanted.size === 0) return;
    const { leaseId, renewed } = await this.#lease(signal);
    if (renewed) {
      const lost = await this.#lost(leaseId, signal);
      if (lost > 0) onEvent({ kind: 'repaired', keys: lost });
    }
    const wanted = this.#wanted;
    const due = differing(wanted, this.#written);
    if (due.length === 0) return;
    const writes = due.map(([key, value]): Write => ({ kind: 'put', key, value, leaseId }));
    await store.change([], writes, signal);
    this.#written = wanted;
    onEvent({ kind: 'written', keys: due.length });
  }

  /** A lease that lives: the one held, renewed where it is time, or a new one. */
  async #lease(
    signal: AbortSignal,
  ): Promise<{ readonly leaseId: string; readonly renewed: boolean }> {
    const { clock, store, ttlMs } = this.#deps;
    const sentAtMs = clock.now();
    const held = this.#held;
    if (held) {
      if (sentAtMs - held.renewedAtMs < held.ttlMs / 3) {
        return { leaseId: held.leaseId, renewed: false };
      }
      const grantedMs = await store.renewLease(held.leaseId, signal);
      if (grantedMs > 0) {
        this.#held = { ...held, ttlMs: grantedMs, renewedAtMs: sentAtMs };
        return { leaseId: held.leaseId, renewed: true };
      }
      this.#held = undefined;
      this.#written = new Map();
      this.#deps.onEvent({ kind: 'lost' });
    }
    const granted = await store.grantLease(ttlMs, signal);
    this.#held = { ...granted, renewedAtMs: sentAtMs };
    return { leaseId: granted.leaseId, renewed: false };
  }

  /** Looks whether etcd holds what was written. @returns how many keys it does not. */
  async #lost(leaseId: string, signal: AbortSignal): Promise<number> {
    const keys = [...this.#written.keys()];
    if (keys.length === 0) return 0;
    const found = await this.#deps.store.readKeys(keys, signal);
    const kept = new Map<string, string>();
    for (const stored of found) {
      if (stored?.leaseId === leaseId) kept.set(stored.key, stored.value);
    }
    const lost = differing(this.#written, kept).length;
    this.#written = kept;
    return lost;
  }

  async #giveBack(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    try {
      await this.#deps.store.revokeLease(held.leaseId, new AbortController().signal);
    } catch (error) {
      this.#deps.onEvent({ kind: 'failed', reason: messageOf(error) });
    }
  }
}

const differing = (wanted: ReadonlyMap<string, string>, there: ReadonlyMap<string, string>) =>
  [...wanted].filter(([key, value]) => there.get(key) !== value);
