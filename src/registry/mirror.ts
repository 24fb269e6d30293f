/**
 * Keeps a copy of a prefix true, through whatever happens to etcd.
 *
 * A session is a listing, a watch from the revision after it, and a new listing
 * every few seconds. No session resumes the one before it: a resumed watch loses
 * events, and says nothing. Whatever ends a session (an error, silence, a store that
 * turned out to be another one) is followed by a new session on the next endpoint.
 * In between, the copy stays as it was.
 */
import { type Backoff, backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError, codeOf, messageOf } from '../lib/errors.ts';
import type { Wakeup } from '../lib/wakeup.ts';
import { firstSnapshot, foldEvents, foldListing, type Snapshot } from './snapshot.ts';
import type { PrefixStore } from './store.ts';

/** A relist this often bounds how long a lost event can go unnoticed. */
export const relistMs = { least: 3000, most: 5000 };

/**
 * What somebody waits for mostly comes by the watch within this time. If not, it is listed at once;
 * never more often than that.
 */
export const demandedMs = 200;

/** So many listings in a row may fail before the session counts as dead. */
const failedListingsAllowed = 1;

/** The code of what ends a session at once: another try on it would not mend it. */
const sessionOver = 'SESSION_OVER';

const betweenSessions: Backoff = { firstMs: 200, maxMs: 2000 };

export interface MirrorView {
  /** Undefined until the first listing: nothing is known, which is not "nothing is there". */
  readonly snapshot: Snapshot | undefined;
  /** A confirmed watch runs. */
  readonly connected: boolean;
  /** When the last listing that succeeded was asked for, on the clock; undefined: never. */
  readonly listedAtMs: number | undefined;
  /** Why there is no session, while there is none. */
  readonly trouble: string | undefined;
}

/**
 * A revision that somebody waits for. If nothing below the prefix changes at it, no watch tells of it,
 * and only a listing can say that nothing did.
 */
export interface Demand {
  readonly revision: () => number;
  /** Rung when it may have risen. */
  readonly bell: Pick<Wakeup, 'wait'>;
}

export interface MirrorDeps {
  readonly store: PrefixStore;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called after each change of the view. */
  readonly onChange: (view: MirrorView) => void;
  /** Without it, listings are as far apart as they are. */
  readonly demand?: Demand;
}

export const nothingKnown: MirrorView = {
  snapshot: undefined,
  connected: false,
  listedAtMs: undefined,
  trouble: undefined,
};

/** Runs until the signal aborts; never throws. */
export async function runMirror(
  prefix: string,
  deps: MirrorDeps,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock, random, onChange, demand } = deps;
  let demandSeen: number | undefined;
  let view = nothingKnown;
  let failures = 0;
  const show = (change: Partial<MirrorView>) => {
    view = { ...view, ...change };
    onChange(view);
  };

  const list = async (watched: boolean, within: AbortSignal) => {
    const askedAtMs = clock.now();
    const revisionWhenAsked = view.snapshot?.revision ?? 0;
    const listing = await store.list(prefix, within);
    within.throwIfAborted();
    const known = view.snapshot;
    const snapshot = known
      ? foldListing(known, listing, { revisionWhenAsked, watched })
      : firstSnapshot(listing);
    show({ snapshot, listedAtMs: askedAtMs });
    if (known && snapshot.epoch !== known.epoch) {
      throw new CodedError(sessionOver, 'etcd was wiped or restored: its revision went back');
    }
    if (known && watched && snapshot.missed > known.missed) {
      throw new CodedError(sessionOver, 'the watch did not tell what a listing had to repair');
    }
    return listing.revision;
  };

  /** Until the next listing is due. A demand that a listing did not meet is of another store. */
  const pause = async (within: AbortSignal) => {
    const forMs = relistMs.least + random() * (relistMs.most - relistMs.least);
    if (!demand) return await clock.sleep(forMs, within);
    const untilMs = clock.now() + forMs;
    const isBehind = () => {
      const revision = demand.revision();
      return revision > (view.snapshot?.revision ?? 0) && revision !== demandSeen;
    };
    while (!within.aborted && clock.now() < untilMs) {
      const leftMs = untilMs - clock.now();
      if (!isBehind()) await demand.bell.wait(leftMs, clock, within);
      if (!isBehind()) continue;
      await clock.sleep(Math.min(demandedMs, leftMs), within);
      if (isBehind()) break;
    }
  };

  const relist = async (within: AbortSignal): Promise<never> => {
    let failed = 0;
    for (;;) {
      await pause(within);
      within.throwIfAborted();
      const demanded = demand?.revision();
      try {
        await list(true, within);
        demandSeen = demanded;
        failed = 0;
      } catch (error) {
        failed += 1;
        if (failed > failedListingsAllowed || codeOf(error) === sessionOver) throw error;
      }
    }
  };

  const session = async (): Promise<never> => {
    const over = new AbortController();
    const within = AbortSignal.any([signal, over.signal]);
    try {
      const revision = await list(false, within);
      const watch = store.watch(
        prefix,
        revision + 1,
        {
          onReady: () => {
            failures = 0;
            show({ connected: true, trouble: undefined });
          },
          onEvents: (events) => {
            if (view.snapshot) show({ snapshot: foldEvents(view.snapshot, events) });
          },
        },
        within,
      );
      return await Promise.race([watch, relist(within)]);
    } finally {
      over.abort();
    }
  };

  while (!signal.aborted) {
    try {
      await session();
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      show({ connected: false, trouble: messageOf(error) });
    }
    await clock.sleep(backoffMs(failures, betweenSessions, random), signal);
  }
}
