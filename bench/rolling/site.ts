/**
 * etcd, apaches each with a watchdog, and nginxes each with a balancer of its own, on one prefix.
 * When it is there, every nginx is proven to serve every apache.
 */
import { existsSync } from 'node:fs';
import { type Apache, startApache } from '../../scripts/parts/apache.ts';
import type { ApacheExtra } from '../../scripts/parts/apache-conf.ts';
import { type Etcd, startEtcd } from '../../scripts/parts/etcd.ts';
import { makeNginxHome, startNginx } from '../../scripts/parts/nginx.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import {
  type Flags,
  type Rollcall,
  startBalancer,
  startWatchdog,
} from '../../scripts/parts/rollcall.ts';
import { makeScratch } from '../../scripts/parts/scratch.ts';
import type { BalancerStatus, WatchdogStatus } from '../../scripts/parts/status.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { slowAndEcho } from './apache-extra.ts';

const prefix = '/bench';

export interface Backend {
  readonly apache: Apache;
  readonly watchdog: Rollcall<WatchdogStatus>;
}

export interface Front {
  readonly url: string;
  readonly errorLog: string;
  readonly balancer: Rollcall<BalancerStatus>;
}

export interface Site extends AsyncDisposable {
  readonly backends: readonly Backend[];
  readonly fronts: readonly Front[];
}

export interface SitePlan {
  readonly backends: number;
  readonly fronts: number;
  /** Of every watchdog, beyond its key and its address. */
  readonly watchdogFlags: Flags;
}

export async function startSite(plan: SitePlan): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const etcd = stack.use(await startEtcd());
  const extra = await slowAndEcho(stack.use(await makeScratch('slow')).path);
  const backends: Backend[] = [];
  for (let n = 0; n < plan.backends; n += 1) {
    backends.push(stack.use(await startBackend(etcd, extra, plan.watchdogFlags)));
  }
  const fronts: Front[] = [];
  for (let n = 0; n < plan.fronts; n += 1) fronts.push(stack.use(await startFront(etcd)));
  for (const { balancer } of fronts) await serves(balancer, plan.backends);
  const owned = stack.move();
  return { backends, fronts, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startBackend(
  etcd: Etcd,
  extra: ApacheExtra,
  flags: Flags,
): Promise<Backend & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const apache = stack.use(await startApache({ extra }));
  const { name, address } = apache;
  const watchdog = stack.use(
    await startWatchdog({ etcd: etcd.url, key: `${prefix}/${name}`, address, ...flags }),
  );
  const owned = stack.move();
  return { apache, watchdog, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startFront(etcd: Etcd): Promise<Front & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await makeNginxHome());
  const listen = `127.0.0.1:${await freePort()}`;
  const confirm = `127.0.0.1:${await freePort()}`;
  const balancer = stack.use(
    await startBalancer({
      ...{ etcd: etcd.url, prefix, listen, 'nginx-conf': home.conf, 'nginx-pid': home.pidFile },
      ...{ 'confirm-listen': confirm, 'confirm-url': `http://${confirm}/` },
      ...{ 'error-log': home.errorLog, 'access-log': 'off' },
    }),
  );
  const written = { expected: 'a first nginx.conf', withinMs: 10_000 };
  await waitUntil(written, () => existsSync(home.conf) || 'none');
  const url = `http://${listen}/`;
  stack.use(await startNginx({ conf: home.conf, url }));
  const owned = stack.move();
  return {
    ...{ url, errorLog: home.errorLog, balancer },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const serves = (balancer: Rollcall<BalancerStatus>, count: number) =>
  waitUntil({ expected: `${count} backends, confirmed`, withinMs: 20_000 }, async () => {
    const { backends, confirmed } = await balancer.status();
    const inPool = backends.filter(({ state }) => state === 'in pool').length;
    return (confirmed && inPool === count) || `${inPool} in pool, confirmed: ${confirmed}`;
  });
