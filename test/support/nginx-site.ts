/**
 * Where one nginx and the balancer that looks after it meet: a directory, two addresses and the
 * flags that name them. Nothing runs yet.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { httpGet } from '../../scripts/parts/http-get.ts';
import {
  makeNginxHome,
  type NginxHome,
  nginxProgram,
  startNginx,
} from '../../scripts/parts/nginx.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import type { Program } from '../../scripts/parts/program.ts';
import type { BalancerStatus } from '../../scripts/parts/status.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';

const askedWithinMs = 1000;

export interface NginxSite extends AsyncDisposable {
  readonly home: NginxHome;
  readonly url: string;
  readonly flags: Readonly<Record<string, string>>;
  /** The same, as a command line has them. */
  readonly words: readonly string[];
  /** Once there is a file to start on; it ends with the site. */
  readonly startNginx: () => Promise<Program>;
  /** Which generation nginx answers with, from its own mouth. */
  readonly served: () => Promise<string | undefined>;
  /** The `server` lines of the upstream on disk. */
  readonly upstream: () => Promise<readonly string[]>;
}

export async function makeNginxSite(etcdUrl: string, prefix: string): Promise<NginxSite> {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await makeNginxHome());
  const listen = `127.0.0.1:${await freePort()}`;
  const confirm = `127.0.0.1:${await freePort()}`;
  const confirmUrl = `http://${confirm}/`;
  const url = `http://${listen}/`;
  const flags = {
    ...{ etcd: etcdUrl, prefix, listen, 'confirm-listen': confirm, 'confirm-url': confirmUrl },
    ...{ 'nginx-conf': home.conf, 'nginx-pid': home.pidFile, 'nginx-bin': nginxProgram() },
    ...{ 'error-log': home.errorLog, 'access-log': 'off' },
  };
  const owned = stack.move();
  return {
    home,
    url,
    flags,
    words: Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
    startNginx: async () => {
      const written = { expected: 'a file for nginx', withinMs: 5000 };
      await waitUntil(written, () => existsSync(home.conf) || 'none');
      return owned.use(await startNginx({ conf: home.conf, url }));
    },
    served: async () => {
      const { body } = await httpGet(confirmUrl, askedWithinMs);
      return /"generation":"(\w+)"/.exec(body)?.[1];
    },
    upstream: async () => {
      const text = await readFile(home.conf, 'utf8').catch(() => '');
      return [...text.matchAll(/^ +(server .*;)$/gm)].map(([, line = '']) => line);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Waits until every key is where it should be and nginx has been seen to serve just that. */
export async function untilConfirmed(
  balancer: { status(): Promise<BalancerStatus> },
  expected: string,
  holds: (status: BalancerStatus) => boolean,
): Promise<BalancerStatus> {
  let last: BalancerStatus | undefined;
  await waitUntil({ expected, withinMs: 8000 }, async () => {
    last = await balancer.status();
    return (last.confirmed && holds(last)) || JSON.stringify(last).slice(0, 2000);
  });
  if (!last) throw new Error('the status was never read');
  return last;
}
