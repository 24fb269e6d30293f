/**
 * The copies that the balancer keeps of etcd: for each service one of its keys, and one of the
 * records that watchdogs keep beside them. Each is a mirror with sessions of its own, so that
 * trouble with one is no trouble of another. Where the records tell of a drain that the keys are not
 * known as of yet, the keys are listed at once.
 */
import type { Clock } from '../../lib/clock.ts';
import { Wakeup } from '../../lib/wakeup.ts';
import { type MirrorView, nothingKnown, runMirror } from '../../registry/mirror.ts';
import { recordKey } from '../../registry/record.ts';
import type { PrefixStore } from '../../registry/store.ts';
import type { Service } from '../../options/service.ts';
import { drainsIn } from './drains.ts';

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
  const mirror = (prefix: string, n: number, part: keyof ServiceViews, bell: Wakeup) =>
    runMirror(
      prefix,
      {
        ...{ store, clock, random },
        ...(part === 'view' && {
          demand: { bell, revision: () => drainsIn(views[n]?.records.snapshot).revision },
        }),
        onChange: (changed) => {
          const before = views[n] ?? { view: nothingKnown, records: nothingKnown };
          if (before[part].snapshot?.keys !== changed.snapshot?.keys) arrivedAtMs ??= clock.now();
          views[n] = { ...before, [part]: changed };
          if (drainsIn(before.records.snapshot) !== drainsIn(views[n].records.snapshot))
            bell.ring();
          onChange();
        },
      },
      signal,
    );
  const ended = Promise.all(
    services.flatMap(({ prefix }, n) => {
      const bell = new Wakeup();
      return [
        mirror(prefix, n, 'view', bell),
        mirror(recordKey(recordPrefix, prefix), n, 'records', bell),
      ];
    }),
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
