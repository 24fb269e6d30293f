/**
 * A machine with a systemd and addresses of its own, in a container of the engine: this machine's
 * programs and this checkout, both read-only. Its image holds nothing but the files it is given, so
 * there is nothing to pull; it goes at the end of its scope.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { docker } from '../container-etcd/docker.ts';
import { makeScratch } from '../parts/scratch.ts';
import { waitUntil } from '../parts/wait-until.ts';
import { checkoutPath } from '../systemd/machine.ts';
import type { Network } from './network.ts';

const MADE_WITHIN_MS = 60_000;
/** A drain waits for up to 30 s, and the stop of an apache as long again. */
const CALLED_WITHIN_MS = 90_000;
const BOOTED_WITHIN_MS = 60_000;

const run = promisify(execFile);
const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** One interface of a machine. */
export interface Plug {
  readonly network: Network;
  readonly address: string;
}

export interface Boot {
  readonly hostname: string;
  readonly plugs: readonly [Plug, ...Plug[]];
  /** Each absolute path and its content. */
  readonly files: Readonly<Record<string, string>>;
}

export interface Machine extends AsyncDisposable {
  readonly hostname: string;
  /** What one command prints there; a status other than 0 is an error with its last words. */
  run(...command: readonly string[]): Promise<string>;
  /** The same of a line of shell. */
  shell(line: string): Promise<string>;
  /** What systemd knows of each unit: ActiveState, StatusText, ... */
  units(...names: readonly string[]): Promise<readonly Readonly<Record<string, string>>[]>;
  unplug(network: Network): Promise<void>;
  /** With the address that it had. */
  plugIn(network: Network): Promise<void>;
  /** Everything in it ends at once, and nothing answers at its address any more. */
  cutPower(): Promise<void>;
}

const ground: Readonly<Record<string, string>> = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  '/etc/nsswitch.conf': 'passwd: files systemd\ngroup: files systemd\nhosts: files\n',
  '/etc/machine-id': '',
  '/etc/systemd/system/default.target': '[Unit]\nDescription=Nothing by itself\n',
};

export async function bootMachine({ hostname, plugs, files }: Boot): Promise<Machine> {
  await using stack = new AsyncDisposableStack();
  const host = process.env['DOCKER_HOST'];
  const call = { host, withinMs: CALLED_WITHIN_MS };
  const image = `rollcall-test/machine:${randomUUID()}`;
  await makeImage(image, { ...ground, ...files }, host);
  stack.defer(async () => void (await docker(call, 'image', 'rm', '--force', image)));
  const [first, ...more] = plugs;
  const id = await docker(
    call,
    ...['create', '--hostname', hostname, '--network', first.network.name, '--ip', first.address],
    ...['--cap-add', 'SYS_ADMIN', '--cap-add', 'SYS_PTRACE'],
    ...['--security-opt', 'seccomp=unconfined'],
    ...['--security-opt', 'apparmor=unconfined', '--cgroupns=private'],
    ...['--tmpfs', '/run:exec', '--tmpfs', '/run/lock', '--tmpfs', '/tmp'],
    ...['--volume', '/usr:/usr:ro', '--volume', `${checkout}:${checkoutPath}:ro`],
    ...[image, '/usr/lib/systemd/systemd'],
  );
  stack.defer(async () => void (await docker(call, 'rm', '--force', '--volumes', id)));
  const plugIn = async ({ network, address }: Plug) =>
    void (await docker(call, 'network', 'connect', '--ip', address, network.name, id));
  for (const plug of more) await plugIn(plug);
  await docker(call, 'start', id);

  const exec = (...command: readonly string[]) => docker(call, 'exec', id, ...command);
  await waitUntil({ expected: 'systemd to have booted', withinMs: BOOTED_WITHIN_MS }, async () => {
    const state = await exec('systemctl', 'is-system-running').catch(String);
    return state === 'running' || state;
  });
  const owned = stack.move();
  return {
    hostname,
    run: exec,
    shell: (line) => exec('sh', '-c', line),
    units: async (...names) => {
      const text = await exec('systemctl', 'show', ...names);
      return text.split('\n\n').map((one) => {
        return Object.fromEntries(one.split('\n').map((line) => line.split(/=(.*)/s, 2)));
      });
    },
    unplug: async ({ name }) => void (await docker(call, 'network', 'disconnect', name, id)),
    plugIn: async (network) => {
      const plug = plugs.find((one) => one.network === network);
      if (!plug) throw new Error(`${hostname} was never on ${network.name}`);
      await plugIn(plug);
    },
    cutPower: async () => void (await docker(call, 'kill', id)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function makeImage(
  image: string,
  files: Readonly<Record<string, string>>,
  host: string | undefined,
): Promise<void> {
  await using root = await makeScratch('machine');
  const tree = join(root.path, 'tree');
  for (const path of ['usr', 'proc', 'sys', 'dev', 'run', 'tmp', 'root', 'var/lib', 'var/log']) {
    await mkdir(join(tree, path), { recursive: true });
  }
  for (const path of ['bin', 'sbin', 'lib', 'lib64'])
    await symlink(`usr/${path}`, join(tree, path));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  const archive = join(root.path, 'image.tar');
  await run('tar', ['--owner=0', '--group=0', '-C', tree, '-cf', archive, '.'], {
    timeout: MADE_WITHIN_MS,
  });
  await docker({ host, withinMs: MADE_WITHIN_MS }, 'import', archive, image);
}
