/**
 * A service from end to end, to drain parts of it: counted backends, each with a watchdog of its own,
 * and balancers, each with an nginx of its own, on keys of one test.
 */
import { hostname } from 'node:os';
import { inject } from 'vitest';
import { httpGet } from '../../scripts/parts/http-get.ts';
import type { Program } from '../../scripts/parts/program.ts';
import {
  type Flags,
  type LogRecord,
  type Rollcall,
  startBalancer,
  startWatchdog,
} from '../../scripts/parts/rollcall.ts';
import type { BalancerStatus, WatchdogStatus } from '../../scripts/parts/status.ts';
import { type Wait, waitUntil } from '../../scripts/parts/wait-until.ts';
import { drainOrderKey } from '../../src/registry/drain-order.ts';
import {
  askAllAlong,
  type Client,
  type CountedBackend,
  probePath,
  startCountedBackend,
} from './counted-backend.ts';
import { type Keys, openKeys } from './keys.ts';
import { makeNginxSite, type NginxSite } from './nginx-site.ts';

export type Watchdog = Rollcall<WatchdogStatus>;

export interface Front {
  readonly site: NginxSite;
  readonly balancer: Rollcall<BalancerStatus>;
  /** As a watchdog names its balancer, in its first run. */
  readonly who: string;
}

export interface Member {
  readonly backend: CountedBackend;
  readonly watchdog: Watchdog;
}

export interface DrainedSite extends AsyncDisposable {
  readonly keys: Keys;
  /** For acknowledgements, records and orders of this test alone. */
  readonly recordPrefix: string;
  /** Its nginx does not run. */
  readonly addBalancer: (flags?: Flags) => Promise<Front>;
  /** With an nginx that runs; nothing need be confirmed yet. */
  readonly addFront: (flags?: Flags) => Promise<Front & { readonly nginx: Program }>;
  readonly addBackend: (name: string) => Promise<CountedBackend>;
  /** A watchdog of that backend, on the key of its name. */
  readonly watch: (backend: CountedBackend, flags?: Flags) => Promise<Watchdog>;
  /** A backend and its watchdog, in rotation when this returns. */
  readonly addMember: (name: string, flags?: Flags) => Promise<Member>;
  readonly askAllAlong: (...fronts: readonly Front[]) => Client;
  readonly orderKey: (name: string) => string;
}

/** Quick probes on a short lease. */
export const quick: Flags = {
  ...{ ttl: '3s', interval: '200ms', 'fast-interval': '100ms', timeout: '500ms' },
};

export async function startDrainedSite(etcdUrl = inject('etcdUrl')): Promise<DrainedSite> {
  await using stack = new AsyncDisposableStack();
  // The first of several is as good as any: each knows all keys.
  const keys = stack.use(await openKeys(etcdUrl.split(',')[0] ?? ''));
  const recordPrefix = `/records${keys.prefix}`;
  const owned = stack.move();
  const addBackend = async (name: string) => owned.use(await startCountedBackend(name));
  const watch = async ({ name, address }: CountedBackend, flags: Flags = {}) =>
    owned.use(
      await startWatchdog({
        ...{ ...quick, etcd: etcdUrl, key: keys.key(name), 'record-prefix': recordPrefix },
        ...{ address, probe: `http://${address}${probePath}`, ...flags },
      }),
    );
  const addBalancer = async (flags: Flags = {}): Promise<Front> => {
    const site = owned.use(await makeNginxSite(etcdUrl, keys.prefix));
    const balancer = owned.use(
      await startBalancer({ ...site.flags, 'record-prefix': recordPrefix, ...flags }),
    );
    return { site, balancer, who: `${hostname()} (pid ${balancer.pid})` };
  };
  return {
    ...{ keys, recordPrefix, addBackend, watch, addBalancer },
    addFront: async (flags) => {
      const front = await addBalancer(flags);
      return { ...front, nginx: await front.site.startNginx() };
    },
    addMember: async (name, flags = {}) => {
      const backend = await addBackend(name);
      const watchdog = await watch(backend, flags);
      await untilReady(watchdog);
      return { backend, watchdog };
    },
    askAllAlong: (...fronts) => owned.use(askAllAlong(fronts.map(({ site }) => site.url))),
    orderKey: (name) => drainOrderKey(recordPrefix, keys.key(name)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const soonMs = 10_000;

export async function readiness({ adminUrl }: Watchdog): Promise<string> {
  const { status, body } = await httpGet(`${adminUrl}/-/ready`, 1000);
  return `${status} ${body.trim()}`;
}

/** The key is held, and every live balancer serves it. */
export const untilReady = (watchdog: Watchdog) =>
  waitUntil({ expected: 'a watchdog in rotation', withinMs: soonMs }, async () => {
    const said = await readiness(watchdog);
    return said.startsWith('200 ') || said;
  });

export const untilStage = (
  watchdog: Watchdog,
  stage: NonNullable<WatchdogStatus['drain']>['stage'],
  withinMs = soonMs,
) =>
  waitUntil({ expected: `the drain ${stage}`, withinMs }, async () => {
    const { drain, waitsFor } = await watchdog.status();
    return drain?.stage === stage || JSON.stringify({ drain, waitsFor });
  });

/** The watchdog misses these and nobody else. */
export const untilMissing = (watchdog: Watchdog, ...expected: readonly string[]) =>
  waitUntil({ expected: expected.join(', '), withinMs: soonMs }, async () => {
    const { waitsFor } = await watchdog.status();
    const missing = waitsFor.map(({ who, why }) => `${who}: ${why}`);
    const is = missing.length === expected.length && expected.every((one, n) => missing[n] === one);
    return is || missing.join(', ');
  });

/** Its key is in etcd, or it is not. */
export const untilKey = ({ keys }: DrainedSite, name: string, is: 'there' | 'gone') =>
  waitUntil({ expected: `${name} ${is}`, withinMs: soonMs, everyMs: 5 }, async () => {
    const there = await keys.read(name);
    return (there !== undefined) === (is === 'there') || (there ? 'there' : 'gone');
  });

/** A record of the log, once there is one that begins so. */
export async function untilTold(
  { log }: { readonly log: readonly LogRecord[] },
  text: string,
  wait: Partial<Wait> = {},
): Promise<LogRecord> {
  const found = () => log.find(({ msg }) => msg.includes(text));
  await waitUntil({ expected: `"${text}" in the log`, withinMs: soonMs, ...wait }, () =>
    found() ? true : log.map(({ msg }) => msg).join(' | '),
  );
  return found() ?? { level: '', time: '', msg: '' };
}

export interface Stopped {
  readonly code: number | null;
  readonly endedMs: number;
  readonly tookMs: number;
  /** What was last said of the drain. */
  readonly last: LogRecord;
  /** Who had confirmed it. */
  readonly confirmed: readonly string[];
}

/** SIGTERM, and the end of the watchdog as soon as this process can know of it. */
export function stopped(watchdog: Watchdog, withinMs = 35_000): Promise<Stopped> {
  const stops = stop(watchdog, withinMs);
  // A test that fails meanwhile waits for it no more.
  stops.catch(() => {});
  return stops;
}

async function stop(watchdog: Watchdog, withinMs: number): Promise<Stopped> {
  const sentMs = performance.now();
  const ended = watchdog.ended().then((exit) => ({ ...exit, endedMs: performance.now() }));
  const over = watchdog.stop(withinMs);
  const { code, endedMs } = await ended;
  await over;
  const last = watchdog.log.findLast(({ tookMs }) => tookMs !== undefined);
  if (!last) throw new Error('nothing was said of the end of the drain');
  const confirmed = (last['confirmed'] as readonly string[]).toSorted();
  return { code, endedMs, tookMs: endedMs - sentMs, last, confirmed };
}

/** The last word of a drain that was confirmed. */
export const confirmedText =
  'drained: every live balancer has confirmed that nginx sends it nothing new';
