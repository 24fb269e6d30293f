/**
 * A machine with the units of containers installed as they are shipped, the images that they name in its
 * engine, and environment files as an operator would write them. Nothing of it is enabled or started.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Images, imagesOfRun } from '../deploy/images.ts';
import { type Look, waitUntil } from '../parts/wait-until.ts';
import { machineAddress } from './ground.ts';
import { bootMachine, type Machine } from './machine.ts';

const shipped = 'units/docker';
const etcdUrl = `http://${machineAddress}:2379`;

const keyOf = (port: number) => `/test/apache-${port}`;
const recordOf = (port: number) => `/rollcall/watchdogs${keyOf(port)}`;
export const apacheUnit = (port: number) => `apache@${port}.service`;
export const watchdogUnit = (port: number) => `rollcall-watchdog@${port}.service`;
export const balancing = ['nginx-config-volume', 'nginx-pod', 'nginx', 'rollcall-balancer'];

export interface Stack extends Machine {
  readonly images: Images;
  /** The value of the key, '' where there is none, or why etcd does not answer. */
  key(port: number): Promise<string>;
  /** The ports to which nginx sends requests: those that its own answers name, now. */
  serving(): Promise<readonly number[]>;
  /** Which watchdog says that the key is its own; '' where none does. */
  holder(port: number): Promise<string>;
  /** Of each balancer, as it stands in etcd. */
  acknowledgements(): Promise<readonly string[]>;
  /** Another run of a container is another id; '' where there is none that runs. */
  container(name: string): Promise<string>;
  /** Of its first process, on the machine. */
  pid(container: string): Promise<string>;
  putWatchdogEnv(port: number, ...more: readonly string[]): Promise<void>;
  /** With what the units say and the state of each in what is missed. */
  until(expected: string, withinMs: number, look: () => Promise<Look>): Promise<number>;
}

/** More than any pool of a test has, several times over: each worker of nginx counts for itself. */
const asked = 24;

export async function bootStack(): Promise<Stack> {
  await using stack = new AsyncDisposableStack();
  const machine = stack.use(await bootMachine());
  for (const name of await readdir(shipped)) {
    if (!name.endsWith('.service')) continue;
    await machine.put(`/etc/systemd/system/${name}`, await readFile(join(shipped, name), 'utf8'));
  }
  const images = imagesOfRun();
  const used = [images.watchdog, images.balancer, images.nginx, images.httpd, images.etcd];
  await machine.load(...used);
  await machine.put('/etc/rollcall/host.env', hostEnv(images));
  await machine.put('/etc/rollcall/etcd.env', etcdEnv);
  await machine.put('/etc/rollcall/balancer.env', balancerEnv);
  await machine.run('systemctl', 'daemon-reload');

  const quietly = (...command: readonly string[]) => machine.run(...command).catch(() => '');
  const etcdctl = (...words: readonly string[]) =>
    machine.run(
      ...['env', 'ETCDCTL_API=3', 'etcdctl', '--endpoints', etcdUrl, '--command-timeout=2s'],
      ...words,
    );
  const owned = stack.move();
  return {
    ...machine,
    images,
    key: (port) =>
      etcdctl('get', '--print-value-only', keyOf(port)).catch(
        (error: unknown) => `no answer: ${String(error)}`,
      ),
    holder: async (port) => {
      const record = await etcdctl('get', '--print-value-only', recordOf(port)).catch(() => '');
      return /"instance":"([^"]+)"/.exec(record)?.[1] ?? '';
    },
    acknowledgements: async () => {
      const below = ['--prefix', '/rollcall/balancers/test/'];
      return (await etcdctl('get', '--print-value-only', ...below).catch(() => '')).split('\n');
    },
    serving: async () => {
      const curl = `for i in $(seq ${asked}); do curl -sm 2 -o /dev/null -D - http://127.0.0.1/; done`;
      const heads = await quietly('sh', '-c', curl);
      const ports = [...heads.matchAll(/^x-handler: \S+:(\d+)\s*$/gim)].map(([, port]) =>
        Number(port),
      );
      return [...new Set(ports)].toSorted((a, b) => a - b);
    },
    container: (name) =>
      quietly('docker', 'ps', '--quiet', '--no-trunc', '--filter', `name=^${name}$`),
    pid: (container) => quietly('docker', 'inspect', '--format', '{{.State.Pid}}', container),
    putWatchdogEnv: (port, ...more) => {
      const lines = [`ROLLCALL_KEY=${keyOf(port)}`, `ROLLCALL_ETCD=${etcdUrl}`];
      const address = `ROLLCALL_ADDRESS=${machineAddress}:${port}`;
      return machine.put(
        `/etc/rollcall/watchdog-${port}.env`,
        [...lines, address, ...more, ''].join('\n'),
      );
    },
    until: async (expected, withinMs, look) => {
      try {
        return await waitUntil({ expected, withinMs, everyMs: 100 }, look);
      } catch (cause) {
        const own = ['apache@*', 'rollcall*', 'nginx*', 'etcd*'].flatMap((unit) => [
          '--unit',
          unit,
        ]);
        const state = ['systemctl', 'list-units', '--all', '--no-pager', '--plain', '--no-legend'];
        const units = await quietly(
          ...state,
          'apache@*',
          'rollcall*',
          'nginx*',
          'etcd*',
          'docker*',
        );
        const log = await quietly(
          'journalctl',
          '--no-pager',
          '--grep=^(?!.*curl/)',
          '--lines',
          '60',
          '--boot',
          ...own,
        );
        throw new Error([String(cause), units, log].join('\n'), { cause });
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const hostEnv = (images: Images) =>
  [
    `COREOS_PRIVATE_IPV4=${machineAddress}`,
    ...[`APACHE_IMAGE=${images.httpd}`, `WATCHDOG_IMAGE=${images.watchdog}`],
    ...[`BALANCER_IMAGE=${images.balancer}`, `NGINX_IMAGE=${images.nginx}`],
    ...[`ETCD_IMAGE=${images.etcd}`, ''],
  ].join('\n');

const etcdEnv = [
  `ETCD_LISTEN_CLIENT_URLS=http://127.0.0.1:2379,${etcdUrl}`,
  `ETCD_ADVERTISE_CLIENT_URLS=${etcdUrl}`,
  '',
].join('\n');

const balancerEnv = [`ROLLCALL_ETCD=${etcdUrl}`, 'ROLLCALL_PREFIX=/test', ''].join('\n');
