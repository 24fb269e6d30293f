/**
 * The image of a machine that has this machine's /usr and nothing else but the files it is given: there is
 * nothing to pull. By itself such a machine starts nothing.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { docker } from '../container-etcd/docker.ts';
import { makeScratch } from '../parts/scratch.ts';

const MADE_WITHIN_MS = 60_000;
const REMOVED_WITHIN_MS = 30_000;

const run = promisify(execFile);
const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Where the checkout is on a machine. */
export const checkoutPath = '/rollcall';

/** Each absolute path and its content. */
export type Files = Readonly<Record<string, string>>;

/** What is there before anything of the test: nothing is started by itself. */
const ground: Files = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  '/etc/nsswitch.conf': 'passwd: files systemd\ngroup: files systemd\nhosts: files\n',
  '/etc/machine-id': '',
  '/etc/systemd/system/default.target': '[Unit]\nDescription=Nothing by itself\n',
};

export interface MachineImage extends AsyncDisposable {
  /** Of `docker run` or `docker create`, for a container of it, and the program that boots it. */
  readonly words: readonly string[];
}

export async function makeMachineImage(files: Files): Promise<MachineImage> {
  const name = `rollcall-test/machine:${randomUUID()}`;
  await importTree(name, { ...ground, ...files });
  return {
    words: [
      // As systemd has it on a host: to box a service in it has to see what /proc hides.
      ...['--cap-add', 'SYS_ADMIN', '--cap-add', 'SYS_PTRACE'],
      ...['--security-opt', 'seccomp=unconfined'],
      ...['--security-opt', 'apparmor=unconfined', '--cgroupns=private'],
      ...['--tmpfs', '/run:exec', '--tmpfs', '/run/lock', '--tmpfs', '/tmp'],
      ...['--volume', '/usr:/usr:ro', '--volume', `${checkout}:${checkoutPath}:ro`],
      ...[name, '/usr/lib/systemd/systemd'],
    ],
    [Symbol.asyncDispose]: async () => {
      const call = { host: process.env['DOCKER_HOST'], withinMs: REMOVED_WITHIN_MS };
      await docker(call, 'image', 'rm', '--force', name);
    },
  };
}

/**
 * An image of these files and of places to mount the rest on; /usr is one of them.
 * @param links where each is, and to what it points.
 */
export async function importTree(image: string, files: Files, links: Files = {}): Promise<void> {
  await using root = await makeScratch('machine');
  const tree = join(root.path, 'tree');
  for (const path of ['usr', 'proc', 'sys', 'dev', 'run', 'tmp', 'root', 'var/lib', 'var/log']) {
    await mkdir(join(tree, path), { recursive: true });
  }
  for (const path of ['bin', 'sbin', 'lib', 'lib64'])
    await symlink(`usr/${path}`, join(tree, path));
  const put = async (path: string, by: (at: string) => Promise<void>) => {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await by(join(tree, path));
  };
  for (const [path, content] of Object.entries(files)) {
    await put(path, (at) => writeFile(at, content));
  }
  for (const [path, target] of Object.entries(links)) {
    await put(path, (at) => symlink(target, at));
  }
  const archive = join(root.path, 'image.tar');
  await run('tar', ['--owner=0', '--group=0', '-C', tree, '-cf', archive, '.'], {
    timeout: MADE_WITHIN_MS,
  });
  const call = { host: process.env['DOCKER_HOST'], withinMs: MADE_WITHIN_MS };
  await docker(call, 'import', archive, image);
}
