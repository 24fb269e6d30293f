/** The mirror of a prefix on real endpoints until the end of the scope, held against what etcd lists. */
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { EtcdEndpoints, type EtcdSurroundings } from '../../src/registry/etcd/endpoints.ts';
import { etcdKeys } from '../../src/registry/etcd/keys.ts';
import { type MirrorView, nothingKnown, runMirror } from '../../src/registry/mirror.ts';
import type { EtcdWriter } from './etcd-writer.ts';

export interface Mirrored extends AsyncDisposable {
  readonly view: () => MirrorView;
  /** Every reason that there was for having no session, in order. */
  readonly troubles: readonly string[];
  /** What it holds, key to value. */
  readonly copy: () => Readonly<Record<string, string>>;
  /** Waits until it holds what etcd itself lists, on a confirmed watch. */
  readonly agrees: (etcd: Pick<EtcdWriter, 'list'>, withinMs?: number) => Promise<void>;
}

export interface MirroredSurroundings extends EtcdSurroundings {
  readonly clock?: Clock;
}

/** Begins with the first of the endpoints. */
export function mirrored(
  urls: readonly string[],
  prefix: string,
  { clock = systemClock, ...surroundings }: MirroredSurroundings = {},
): Mirrored {
  const endpoints = new EtcdEndpoints(urls, systemClock, () => 0, surroundings);
  const stop = new AbortController();
  const troubles: string[] = [];
  let view: MirrorView = nothingKnown;
  const running = runMirror(
    prefix,
    {
      store: etcdKeys(endpoints, systemClock),
      clock,
      random: Math.random,
      onChange: (latest) => {
        view = latest;
        if (view.trouble && view.trouble !== troubles.at(-1)) troubles.push(view.trouble);
      },
    },
    stop.signal,
  );
  const copy = () =>
    Object.fromEntries(
      [...(view.snapshot?.keys.values() ?? [])].map(({ key, value }) => [key, value]),
    );
  return {
    ...{ view: () => view, troubles, copy },
    agrees: async (etcd, withinMs = 10_000) => {
      await waitUntil({ expected: 'a mirror equal to etcd', withinMs }, async () => {
        const [want, have] = [await etcd.list(prefix), copy()].map((map) =>
          JSON.stringify(Object.entries(map).toSorted(byKey)),
        );
        if (!view.connected) return `no session: ${view.trouble}`;
        return want === have || `${have} and not ${want}`;
      });
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      await endpoints[Symbol.asyncDispose]();
    },
  };
}

const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : 1);
