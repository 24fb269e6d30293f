/**
 * A whole pool on real parts: apaches, each with its watchdog, and a balancer with its nginx that
 * serves all of them, proven, when this returns.
 */
import { randomUUID } from 'node:crypto';
import { type Apache, startApache } from '../../scripts/parts/apache.ts';
import {
  type Flags,
  type Rollcall,
  startBalancer,
  startWatchdog,
} from '../../scripts/parts/rollcall.ts';
import type { BalancerStatus, WatchdogStatus } from '../../scripts/parts/status.ts';
import { makeNginxSite, type NginxSite, untilConfirmed } from './nginx-site.ts';

/** As short as it may be with these probes. */
const watchedTtlMs = 3000;

/** From the last renewal of a lease to its end: etcd looks every half second. */
export const expiredWithinMs = watchedTtlMs + 500;

const watchdogFlags: Flags = {
  ttl: `${watchedTtlMs}ms`,
  ...{ interval: '200ms', 'fast-interval': '100ms', timeout: '500ms' },
};

export interface Watched {
  readonly key: string;
  readonly apache: Apache;
  readonly watchdog: Rollcall<WatchdogStatus>;
}

export interface WatchedPool extends AsyncDisposable {
  readonly site: NginxSite;
  readonly balancer: Rollcall<BalancerStatus>;
  readonly backends: readonly Watched[];
  /** How many are in this state. */
  readonly count: (state: BalancerStatus['backends'][number]['state']) => Promise<number>;
  /** What the log says of one that is held, or is no more. */
  readonly toldOfHolding: () => readonly string[];
}

export async function startWatchedPool(
  etcdUrl: string,
  size: number,
  flags: Flags = {},
): Promise<WatchedPool> {
  await using stack = new AsyncDisposableStack();
  const prefix = `/${randomUUID()}`;
  const site = stack.use(await makeNginxSite(etcdUrl, prefix));
  const startWatched = async (): Promise<Watched> => {
    const apache = stack.use(await startApache());
    const key = `${prefix}/${apache.name}`;
    const named = { etcd: etcdUrl, key, address: apache.address };
    return {
      key,
      apache,
      watchdog: stack.use(await startWatchdog({ ...named, ...watchdogFlags })),
    };
  };
  const started = await Promise.allSettled([
    startBalancer({ ...site.flags, ...flags }).then((one) => stack.use(one)),
    ...Array.from({ length: size }, startWatched),
  ] as const);
  const failed = started.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  const [balancer, ...backends] = started.map((one) => one.status === 'fulfilled' && one.value) as [
    Rollcall<BalancerStatus>,
    ...Watched[],
  ];
  await site.startNginx();
  await untilConfirmed(
    balancer,
    'all of them in the pool',
    (status) => status.backends.filter(({ state }) => state === 'in pool').length === size,
  );
  const owned = stack.move();
  return {
    ...{ site, balancer, backends },
    count: async (wanted) =>
      (await balancer.status()).backends.filter(({ state }) => state === wanted).length,
    toldOfHolding: () => balancer.log.map(({ msg }) => msg).filter((msg) => / held\b/.test(msg)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
