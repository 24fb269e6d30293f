/**
 * etcd from testcontainers. It removes its container at the end of its scope, and those that
 * earlier runs on this host left behind because they were killed: the reaper that testcontainers
 * would start for this is one more image to pull, so it is off unless asked for.
 */
import { hostname } from 'node:os';
import type { ContainerRuntimeClient } from 'testcontainers';
import { httpGet } from '../../scripts/parts/http-get.ts';
import type { SharedEtcd } from './shared-etcd.ts';

const PORT = 2379;
const PULLED_WITHIN_MS = 60_000;
const READY_WITHIN_MS = 30_000;
const ASKED_WITHIN_MS = 2000;
const HOST_LABEL = 'rollcall.test.host';
const PID_LABEL = 'rollcall.test.pid';

export async function startContainerEtcd(
  image: string,
): Promise<SharedEtcd | { readonly unavailable: string }> {
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  // Loaded late: it looks for an engine, and reads its settings, when it is imported.
  const { GenericContainer, Wait, getContainerRuntimeClient } = await import('testcontainers');
  const client = await getContainerRuntimeClient().catch(() => undefined);
  if (!client) return { unavailable: 'no engine answers' };
  await removeLeftovers(client);
  if (!(await hasImage(client, image))) {
    return { unavailable: `image ${image} is not there and cannot be pulled` };
  }

  const everywhere = `http://0.0.0.0:${PORT}`;
  const container = await new GenericContainer(image)
    .withCommand([
      'etcd',
      '--listen-client-urls',
      everywhere,
      '--advertise-client-urls',
      everywhere,
    ])
    .withExposedPorts(PORT)
    .withLabels({ [HOST_LABEL]: hostname(), [PID_LABEL]: String(process.pid) })
    .withWaitStrategy(Wait.forHttp('/health', PORT).withStartupTimeout(READY_WITHIN_MS))
    .start();
  const url = `http://${container.getHost()}:${container.getMappedPort(PORT)}`;
  const { body } = await httpGet(`${url}/version`, ASKED_WITHIN_MS);
  const { etcdserver: version } = JSON.parse(body) as { etcdserver: string };
  return {
    url,
    version,
    origin: `testcontainers, image ${image}`,
    [Symbol.asyncDispose]: async () => void (await container.stop({ timeout: ASKED_WITHIN_MS })),
  };
}

async function hasImage(client: ContainerRuntimeClient, image: string): Promise<boolean> {
  const { ImageName } = await import('testcontainers');
  const name = ImageName.fromString(image);
  if (await client.image.exists(name)) return true;
  const tooLate = AbortSignal.timeout(PULLED_WITHIN_MS);
  const { promise: deadline, resolve } = Promise.withResolvers<boolean>();
  tooLate.addEventListener('abort', () => resolve(false));
  const pulled = client.image.pull(name).then(
    () => true,
    () => false,
  );
  return Promise.race([pulled, deadline]);
}

async function removeLeftovers({ container: { dockerode } }: ContainerRuntimeClient) {
  const ours = await dockerode.listContainers({
    all: true,
    filters: { label: [`${HOST_LABEL}=${hostname()}`] },
  });
  const left = ours.filter(({ Labels }) => !isAlive(Number(Labels[PID_LABEL])));
  await Promise.all(
    left.map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true })),
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
