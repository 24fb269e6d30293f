/**
 * etcd, three apaches each with its watchdog, the balancer and nginx, on the usual ports where they
 * are free. The balancer comes before nginx: it writes the file that nginx starts on, and then has
 * to find that nginx by itself.
 */
import { existsSync } from 'node:fs';
import { type Apache, startApache } from '../parts/apache.ts';
import { type Etcd, startEtcd } from '../parts/etcd.ts';
import { makeNginxHome, nginxProgram, startNginx } from '../parts/nginx.ts';
import { freePorts } from '../parts/ports.ts';
import type { Program } from '../parts/program.ts';
import { type Rollcall, startBalancer, startWatchdog } from '../parts/rollcall.ts';
import type { BalancerStatus, WatchdogStatus } from '../parts/status.ts';
import { waitUntil } from '../parts/wait-until.ts';
import { prefix, watchdogFlags } from './cadence.ts';
import type { Step } from './progress.ts';
import { settled } from './settled.ts';

const USUAL = { etcd: 2379, first: 8001, second: 8002, third: 8003, nginx: 8080, confirm: 8079 };
const portNames = ['etcd', 'first', 'second', 'third', 'nginx', 'confirm'] as const;
const RENDERED_WITHIN_MS = 5000;

export interface Backend {
  readonly name: string;
  readonly key: string;
  readonly address: string;
  readonly apache: Apache;
  readonly watchdog: Rollcall<WatchdogStatus>;
}

export interface Cluster extends AsyncDisposable {
  readonly etcd: Etcd;
  readonly backends: readonly Backend[];
  readonly balancer: Rollcall<BalancerStatus>;
  readonly nginx: Program;
  /** The file that the balancer writes and nginx reads. */
  readonly conf: string;
  readonly url: string;
  readonly confirmUrl: string;
}

/**
 * @param preferred the ports to use where all are free; with one left out, any free ones are used.
 */
export async function startCluster(
  step: Step,
  signal: AbortSignal,
  preferred: Partial<typeof USUAL> = USUAL,
): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const guarded: Step = (what, work) => {
    signal.throwIfAborted();
    return step(what, work);
  };

  const ports = await freePorts(portNames, preferred);
  const etcd = await guarded('etcd, in a temporary directory', async () =>
    stack.use(await startEtcd({ clientPort: ports.etcd })),
  );

  const apachePorts = [ports.first, ports.second, ports.third];
  const backends = await guarded(
    `apaches on ports ${apachePorts.join(', ')}, each with its watchdog`,
    async () => {
      const apaches = await startAll(apachePorts, (port) => startApache({ port }), stack);
      return startAll(apaches, (apache) => watched(etcd, apache), stack);
    },
  );

  const listen = `127.0.0.1:${ports.nginx}`;
  const confirm = `127.0.0.1:${ports.confirm}`;
  const home = stack.use(await makeNginxHome());
  const [balancer, nginx] = await guarded('the balancer, then nginx on what it wrote', async () => {
    const writer = stack.use(
      await startBalancer({
        etcd: etcd.url,
        prefix,
        listen,
        'nginx-conf': home.conf,
        'nginx-pid': home.pidFile,
        'nginx-bin': nginxProgram(),
        'confirm-listen': confirm,
        'confirm-url': `http://${confirm}/`,
        'error-log': home.errorLog,
        'access-log': 'off',
      }),
    );
    const rendered = { expected: 'a first nginx.conf', withinMs: RENDERED_WITHIN_MS };
    await waitUntil(rendered, () => existsSync(home.conf) || 'none', signal);
    const reader = stack.use(await startNginx({ conf: home.conf, url: `http://${listen}/` }));
    return [writer, reader] as const;
  });

  const cluster = {
    ...{ etcd, backends, balancer, nginx },
    ...{ conf: home.conf, url: `http://${listen}/`, confirmUrl: `http://${confirm}/` },
  };
  await guarded('all three in the pool, nginx proven to serve it', () => settled(cluster, signal));
  const owned = stack.move();
  return { ...cluster, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function watched(etcd: Etcd, apache: Apache): Promise<Backend & AsyncDisposable> {
  const key = `${prefix}/${apache.name}`;
  const watchdog = await startWatchdog({
    etcd: etcd.url,
    key,
    address: apache.address,
    probe: apache.url,
    ...watchdogFlags,
  });
  const { name, address } = apache;
  return {
    ...{ name, key, address, apache, watchdog },
    [Symbol.asyncDispose]: () => watchdog[Symbol.asyncDispose](),
  };
}

/** All at once; when one fails, those that did start are still disposed of. */
async function startAll<From, To extends AsyncDisposable>(
  from: readonly From[],
  start: (item: From) => Promise<To>,
  stack: AsyncDisposableStack,
): Promise<To[]> {
  const started = await Promise.allSettled(from.map(async (item) => stack.use(await start(item))));
  return started.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
