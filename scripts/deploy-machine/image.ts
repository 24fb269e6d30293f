/** The image of a machine: what is in ground.ts and nothing else; there is nothing to pull. */
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { docker } from '../container-etcd/docker.ts';
import { makeScratch } from '../parts/scratch.ts';
import { groundFiles, groundLinks } from './ground.ts';

const MADE_WITHIN_MS = 30_000;

const run = promisify(execFile);

const directories = ['usr', 'proc', 'sys', 'dev', 'run', 'tmp', 'root', 'var/lib', 'var/log'];

export async function makeMachineImage(image: string, host: string | undefined): Promise<void> {
  await using root = await makeScratch('machine');
  const tree = join(root.path, 'tree');
  for (const path of directories) await mkdir(join(tree, path), { recursive: true });
  for (const path of ['bin', 'sbin', 'lib', 'lib64']) {
    await symlink(`usr/${path}`, join(tree, path));
  }
  for (const [path, content] of Object.entries(groundFiles)) {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  for (const [path, target] of Object.entries(groundLinks)) {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await symlink(target, join(tree, path));
  }
  const archive = join(root.path, 'image.tar');
  await run('tar', ['--owner=0', '--group=0', '-C', tree, '-cf', archive, '.'], {
    timeout: MADE_WITHIN_MS,
  });
  await docker({ host, withinMs: MADE_WITHIN_MS }, 'import', archive, image);
}
