/** An etcd with many hand-made keys, a balancer on them and an nginx on its file, all of its own. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import { startEtcd } from '../scripts/parts/etcd.ts';
import { makeNginxHome, startNginx } from '../scripts/parts/nginx.ts';
import { freePort } from '../scripts/parts/ports.ts';
import { type Flags, type Rollcall, startBalancer } from '../scripts/parts/rollcall.ts';
import type { BalancerStatus } from '../scripts/parts/status.ts';
import { waitUntil } from '../scripts/parts/wait-until.ts';

const prefix = '/bench';
/** etcd takes no more in one transaction. */
const keysAtOnce = 128;

export interface BalancedSite extends AsyncDisposable {
  readonly url: string;
  readonly conf: string;
  readonly balancer: Rollcall<BalancerStatus>;
  readonly pids: { readonly balancer: number; readonly nginx: number };
  put(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Waits until nginx is proven to serve all that is wanted. */
  settled(): Promise<void>;
}

/** @param addressOf the value of the n-th key. */
export async function startBalancedSite(
  count: number,
  addressOf: (n: number) => string,
  flags: Flags = {},
): Promise<BalancedSite> {
  await using stack = new AsyncDisposableStack();
  const etcd = stack.use(await startEtcd());
  const client = stack.adopt(new Etcd3({ hosts: etcd.url }), (open) => open.close());
  for (let from = 0; from < count; from += keysAtOnce) {
    const to = Math.min(count, from + keysAtOnce);
    const puts = Array.from({ length: to - from }, (_, n) =>
      client.put(`${prefix}/${nameOf(from + n)}`).value(addressOf(from + n)),
    );
    await client
      .if(`${prefix}/none`, 'Create', '==', 0)
      .then(...puts)
      .commit();
  }
  const home = stack.use(await makeNginxHome());
  const listen = `127.0.0.1:${await freePort()}`;
  const confirm = `127.0.0.1:${await freePort()}`;
  const balancer = stack.use(
    await startBalancer({
      ...{ etcd: etcd.url, prefix, listen, 'nginx-conf': home.conf, 'nginx-pid': home.pidFile },
      ...{ 'confirm-listen': confirm, 'confirm-url': `http://${confirm}/` },
      ...{ 'error-log': home.errorLog, 'access-log': 'off' },
      ...flags,
    }),
  );
  const written = { expected: 'a first file', withinMs: 20_000 };
  await waitUntil(written, () => existsSync(home.conf) || 'none');
  const url = `http://${listen}/`;
  const nginx = stack.use(await startNginx({ conf: home.conf, url }));
  const settled = async () => {
    await waitUntil({ expected: 'all of it served', withinMs: 30_000 }, async () => {
      const { confirmed, trouble } = await balancer.status();
      return confirmed || String(trouble);
    });
    // The last of the old workers, and what the balancer writes down afterwards.
    await sleep(200);
  };
  await settled();
  const owned = stack.move();
  return {
    ...{ url, conf: home.conf, balancer, settled },
    pids: { balancer: balancer.pid ?? 0, nginx: nginx.pid ?? 0 },
    put: async (name, value) => void (await client.put(`${prefix}/${name}`).value(value)),
    remove: async (name) => void (await client.delete().key(`${prefix}/${name}`)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** In the order of their numbers. */
export const nameOf = (n: number) => `apache-${String(n).padStart(6, '0')}`;

/** An address of loopback for each number. */
export const loopbackOf = (n: number, port: number) =>
  `127.${1 + Math.floor(n / 62_500)}.${Math.floor(n / 250) % 250}.${1 + (n % 250)}:${port}`;

export const childrenOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
