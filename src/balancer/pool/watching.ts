/**
 * The copies that the balancer keeps of etcd: for each service one of its keys, and one of the
 * records that watchdogs keep beside them. Each is a mirror with sessions of its own, so that
 * trouble with one is no trouble of another.
 */
import type { Clock } from '../../lib/clock.ts';
import { type MirrorView, nothingKnown, runMirror } from '../../registry/mirror.ts';
import { recordKey } from '../../registry/record.ts';
import type { PrefixStore } from '../../registry/store.ts';
import type { Service } from '../../options/service.ts';

export interface WatchingDeps {
  readonly store: PrefixStore;
  readonly recordPrefix: string;
  readonly clock: Clock;
  readonly random: () => number;
}

export interface ServiceViews {
  readonly view: MirrorView;
  readonly records: MirrorView;
}

export interface Watching {
  /** By service, in the order given. */
  readonly views: readonly ServiceViews[];
  /** When the oldest change arrived that nobody has taken yet; it is taken by this call. */
  takeArrival(): number | undefined;
  /** Settles when all mirrors have ended, after the signal. */
  readonly ended: Promise<unknown>;
}

/** @param onChange called after each change; must not throw. */
export function watchServices(
  services: readonly Service[],
  { store, recordPrefix, clock, random }: WatchingDeps,
  onChange: () => void,
  signal: AbortSignal,
): Watching {
  const views: ServiceViews[] = services.map(() => ({ view: nothingKnown, records: nothingKnown }));
  let arrivedAtMs: number | undefined;
  const mirror = (prefix: string, n: number, part: keyof ServiceViews) =>
    runMirror(
      prefix,
      {
        ...{ store, clock, random },
        onChange: (changed) => {
          const before = views[n] ?? { view: nothingKnown, records: nothingKnown };
          if (before[part].snapshot?.keys !== changed.snapshot?.keys) arrivedAtMs ??= clock.now();
          views[n] = { ...before, [part]: changed };
          onChange();
        },
      },
      signal,
    );
  const ended = Promise.all(
    services.flatMap(({ prefix }, n) => [
      mirror(prefix, n, 'view'),
      mirror(recordKey(recordPrefix, prefix), n, 'records'),
    ]),
  );
  return {
    views,
    takeArrival: () => {
      const taken = arrivedAtMs;
      arrivedAtMs = undefined;
      return taken;
    },
    ended,
  };
}
