/**
 * An nginx in a container and, on this machine, the compiled balancer that writes its file and
 * reloads it by the engine's socket.
 */
import { existsSync } from 'node:fs';
import { type NginxContainer, nginxContainer } from '../../scripts/docker/container.ts';
import { type Rollcall, startBalancer } from '../../scripts/parts/rollcall.ts';
import type { BalancerStatus } from '../../scripts/parts/status.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { type EngineSocket, openEngineSocket } from './engine-socket.ts';
import { type Keys, openKeys } from './keys.ts';
import { makeNginxSite, type NginxSite, untilConfirmed } from './nginx-site.ts';

export interface ContainerSite extends AsyncDisposable {
  readonly keys: Keys;
  readonly site: NginxSite;
  readonly container: NginxContainer;
  readonly socket: EngineSocket;
  readonly balancer: Rollcall<BalancerStatus>;
  /** Waits until /status says so and the log has said so too. */
  readonly untilTrouble: (words: RegExp) => Promise<void>;
}

export interface ContainerSitePlan {
  readonly etcdUrl: string;
  /** Name to address. */
  readonly backends: Readonly<Record<string, string>>;
  /** Without: the engine has never heard of it. */
  readonly container?: 'none';
  /** nginx's number in its container is not 1. */
  readonly init?: boolean;
  /** The balancer's processes have numbers of their own. */
  readonly ownNumbers?: boolean;
}

export async function startContainerSite(plan: ContainerSitePlan): Promise<ContainerSite> {
  const { etcdUrl, backends, init = false, ownNumbers = false } = plan;
  await using stack = new AsyncDisposableStack();
  const keys = stack.use(await openKeys(etcdUrl));
  for (const [name, address] of Object.entries(backends)) await keys.put(name, address);
  const site = stack.use(await makeNginxSite(etcdUrl, keys.prefix));
  const socket = stack.use(await openEngineSocket());
  const container = stack.use(nginxContainer({ home: site.home, init }));
  const reload = `docker:${container.name}`;
  const balancer = stack.use(
    await startBalancer(
      { ...site.flags, 'record-prefix': `/records${keys.prefix}`, reload },
      socket.launcher(ownNumbers),
    ),
  );
  if (plan.container !== 'none') {
    const written = { expected: 'a file for nginx', withinMs: 5000 };
    await waitUntil(written, () => existsSync(site.home.conf) || 'none');
    await container.create();
    await container.call('start');
    await untilConfirmed(balancer, 'a first generation', () => true);
  }
  const owned = stack.move();
  return {
    ...{ keys, site, container, socket, balancer },
    untilTrouble: async (words) => {
      await waitUntil({ expected: `trouble: ${words}`, withinMs: 12_000 }, async () => {
        const { trouble } = await balancer.status();
        return words.test(trouble ?? '') || String(trouble);
      });
      await waitUntil({ expected: `in the log: ${words}`, withinMs: 1000 }, () => {
        const told = balancer.log.filter(({ level }) => ['warn', 'error'].includes(level));
        return told.some(({ msg }) => words.test(msg)) || JSON.stringify(told.slice(-3));
      });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
