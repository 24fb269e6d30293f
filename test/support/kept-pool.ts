/**
 * Two keys put by hand below a prefix, whose apaches live; a balancer that keeps their pool on disk,
 * and its nginx. All of it serves, proven, when this returns.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { putKey } from '../../scripts/demo/evidence.ts';
import { startApache } from '../../scripts/parts/apache.ts';
import { type Etcd } from '../../scripts/parts/etcd.ts';
import { type Flags, startBalancer } from '../../scripts/parts/rollcall.ts';
import type { BalancerStatus } from '../../scripts/parts/status.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { makeNginxSite, untilConfirmed } from './nginx-site.ts';

export const prefix = '/kept';

/** Nobody may write here, not even root. */
export const unwritable = '/sys/rollcall-state';

export async function keptPool(etcd: Etcd, flags: Flags = {}) {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await makeNginxSite(etcd.url, prefix));
  const apaches = await Promise.all([1, 2].map(async () => stack.use(await startApache())));
  const putAll = () =>
    Promise.all(apaches.map(({ name, address }) => putKey(etcd.url, `${prefix}/${name}`, address)));
  await putAll();
  const balancer = stack.use(await startBalancer({ ...site.flags, ...flags }));
  const nginx = await site.startNginx();
  await untilConfirmed(balancer, 'both in the pool', has('in pool', 2));
  const statePath = String(
    flags['state'] ?? join(dirname(site.home.conf), '.nginx.conf.rollcall-state'),
  );
  await waitUntil(
    { expected: 'the pool on disk', withinMs: 2000 },
    () => statePath === unwritable || existsSync(statePath) || 'none',
  );
  let before = 0;
  const owned = stack.move();
  return {
    ...{ site, balancer, nginx, apaches, putAll, statePath },
    /** Since the start of the run that goes on. */
    told: (text: string) => balancer.log.slice(before).filter(({ msg }) => msg.startsWith(text)),
    startAgain: async () => {
      before = balancer.log.length;
      await balancer.start();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** All that there are, and so many. */
export const has =
  (wanted: BalancerStatus['backends'][number]['state'], count: number) =>
  ({ backends }: BalancerStatus) =>
    backends.length === count && backends.every(({ state }) => state === wanted);
