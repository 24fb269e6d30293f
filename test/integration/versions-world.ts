/**
 * Two releases on one prefix: real apaches, each with a watchdog of either release, and real nginxes,
 * each with a balancer of either. The earlier release is the package that is kept of it.
 */
import { execFile } from 'node:child_process';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { type Apache, startApache } from '../../scripts/parts/apache.ts';
import type { Program } from '../../scripts/parts/program.ts';
import {
  builtCli,
  type Flags,
  type Rollcall,
  startBalancer,
  startWatchdog,
} from '../../scripts/parts/rollcall.ts';
import type { BalancerStatus } from '../../scripts/parts/status.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { unpackRelease } from '../../scripts/versions/release.ts';
import { askAllAlong, type Client } from '../support/counted-backend.ts';
import { quick, type Watchdog } from '../support/drained-site.ts';
import { type Keys, openKeys } from '../support/keys.ts';
import { makeNginxSite, type NginxSite } from '../support/nginx-site.ts';

export const releases = ['earlier', 'current'] as const;
export type ReleaseName = (typeof releases)[number];

/** The release before what is written in etcd said its format. */
const earlier = '0.1.0';

export interface Front {
  readonly site: NginxSite;
  readonly nginx: Program;
  balancer: Rollcall<BalancerStatus>;
}

export interface VersionsWorld extends AsyncDisposable {
  readonly keys: Keys;
  readonly recordPrefix: string;
  readonly addApache: (name: string) => Promise<Apache>;
  readonly watch: (of: ReleaseName, name: string, flags?: Flags) => Promise<Watchdog>;
  /** A balancer and its nginx. */
  readonly addFront: (of: ReleaseName) => Promise<Front>;
  /** Another balancer beside the same nginx, on the same directory; the one before has ended. */
  readonly balance: (of: ReleaseName, front: Front) => Promise<void>;
  /** One of the operator's commands on a key. */
  readonly command: (of: ReleaseName, ...words: readonly string[]) => Promise<CommandRun>;
  readonly askAllAlong: (...fronts: readonly Front[]) => Client;
}

interface CommandRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const endsWithinMs = 25_000;

const run = promisify(execFile);

export async function openVersions(etcdUrl = inject('etcdUrl')): Promise<VersionsWorld> {
  await using stack = new AsyncDisposableStack();
  const release = stack.use(await unpackRelease(earlier));
  const cliOf = { earlier: release.cli, current: builtCli };
  const keys = stack.use(await openKeys(etcdUrl));
  const recordPrefix = `/records${keys.prefix}`;
  const apaches = new Map<string, Apache>();
  const owned = stack.move();
  const balancerOf = async (of: ReleaseName, site: NginxSite) =>
    owned.use(await startBalancer({ ...site.flags, 'record-prefix': recordPrefix }, [], cliOf[of]));
  return {
    ...{ keys, recordPrefix },
    addApache: async (name) => {
      const apache = owned.use(await startApache());
      apaches.set(name, apache);
      return apache;
    },
    watch: async (of, name, flags = {}) => {
      const { address = '' } = apaches.get(name) ?? {};
      const where = { etcd: etcdUrl, 'record-prefix': recordPrefix, key: keys.key(name), address };
      return owned.use(await startWatchdog({ ...quick, ...where, ...flags }, cliOf[of]));
    },
    addFront: async (of) => {
      const site = owned.use(await makeNginxSite(etcdUrl, keys.prefix));
      const balancer = await balancerOf(of, site);
      return { site, balancer, nginx: await site.startNginx() };
    },
    balance: async (of, front) => void (front.balancer = await balancerOf(of, front.site)),
    command: async (of, ...words) => {
      const where = ['--etcd', etcdUrl, '--record-prefix', recordPrefix];
      const env = { PATH: process.env['PATH'] };
      const limits = { env, timeout: endsWithinMs, killSignal: 'SIGKILL' } as const;
      return await run(process.execPath, [cliOf[of], ...words, ...where], limits).then(
        (said) => ({ status: 0, ...said }),
        (failed: { code: number; stdout: string; stderr: string }) => ({
          ...{ status: failed.code, stdout: failed.stdout, stderr: failed.stderr },
        }),
      );
    },
    askAllAlong: (...fronts) => owned.use(askAllAlong(fronts.map(({ site }) => site.url))),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** As it is named in what others say of it. */
export const whoIs = ({ pid }: Program) => `${hostname()} (pid ${pid})`;

/** nginx has these and no others, and answers with that very file. */
export const untilServed = ({ site, balancer }: Front, ...expected: readonly Apache[]) =>
  waitUntil({ expected: `${expected.length} served by nginx`, withinMs: 10_000 }, async () => {
    const lines = await site.upstream();
    const has = ({ address }: Apache) => lines.some((line) => line.includes(` ${address}`));
    const { confirmed, generation } = await balancer.status();
    const is = lines.length === expected.length && expected.every(has) && confirmed;
    const told = { lines, confirmed, generation };
    return (is && (await site.served()) === generation.wanted) || JSON.stringify(told);
  });

export const untilGone = ({ keys }: VersionsWorld, name: string) =>
  waitUntil(
    { expected: `${name} gone`, withinMs: 10_000, everyMs: 5 },
    async () => (await keys.read(name)) === undefined || 'there',
  );
