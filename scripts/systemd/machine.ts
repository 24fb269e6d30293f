/**
 * A small machine with a systemd of its own, in a container of the engine: this machine's programs
 * and this checkout, both read-only, and no network but its own loopback. Its image holds nothing
 * but the files it is given, so there is nothing to pull; it goes at the end of its scope.
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

const MADE_WITHIN_MS = 30_000;
const CALLED_WITHIN_MS = 15_000;
const BOOTED_WITHIN_MS = 20_000;

const run = promisify(execFile);
const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Where the checkout is on the machine. */
export const checkoutPath = '/rollcall';

export interface Machine extends AsyncDisposable {
  /** What one command prints there; a status other than 0 is an error with its last words. */
  run(...command: readonly string[]): Promise<string>;
  /** What systemd knows of a unit: ActiveState, StatusText, ... */
  unit(name: string): Promise<Readonly<Record<string, string>>>;
}

/** What is there before anything of the test: nothing is started by itself. */
const ground: Readonly<Record<string, string>> = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  '/etc/nsswitch.conf': 'passwd: files systemd\ngroup: files systemd\nhosts: files\n',
  '/etc/machine-id': '',
  '/etc/systemd/system/default.target': '[Unit]\nDescription=Nothing by itself\n',
};

/** @param files each absolute path and its content, beside those of every machine. */
export async function bootMachine(files: Readonly<Record<string, string>>): Promise<Machine> {
  await using stack = new AsyncDisposableStack();
  const host = process.env['DOCKER_HOST'];
  const call = { host, withinMs: CALLED_WITHIN_MS };
  const image = `rollcall-test/systemd:${randomUUID()}`;
  await makeImage(image, { ...ground, ...files }, host);
  stack.defer(async () => void (await docker(call, 'image', 'rm', '--force', image)));
  const id = await docker(
    call,
    ...['run', '--detach', '--network', 'none'],
    // As systemd has it on a host: to box a service in it has to see what /proc hides.
    ...['--cap-add', 'SYS_ADMIN', '--cap-add', 'SYS_PTRACE'],
    ...['--security-opt', 'seccomp=unconfined'],
    ...['--security-opt', 'apparmor=unconfined', '--cgroupns=private'],
    ...['--tmpfs', '/run:exec', '--tmpfs', '/run/lock', '--tmpfs', '/tmp'],
    ...['--volume', '/usr:/usr:ro', '--volume', `${checkout}:${checkoutPath}:ro`],
    ...[image, '/usr/lib/systemd/systemd'],
  );
  stack.defer(async () => void (await docker(call, 'rm', '--force', '--volumes', id)));

  const machine = {
    run: (...command: readonly string[]) => docker(call, 'exec', id, ...command),
    unit: async (name: string) => {
      const text = await docker(call, 'exec', id, 'systemctl', 'show', name);
      return Object.fromEntries(text.split('\n').map((line) => line.split(/=(.*)/s, 2)));
    },
  };
  await waitUntil({ expected: 'systemd to have booted', withinMs: BOOTED_WITHIN_MS }, async () => {
    const state = await machine.run('systemctl', 'is-system-running').catch(String);
    return state === 'running' || state;
  });
  const owned = stack.move();
  return { ...machine, [Symbol.asyncDispose]: () => owned.disposeAsync() };
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
