/**
 * An image that holds an installed program, the libraries it needs and nothing else but what it is
 * given: there is nothing to pull, and it is the very program of this machine.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { makeScratch } from '../parts/scratch.ts';

const MADE_WITHIN_MS = 60_000;

const run = promisify(execFile);

export interface InstalledImage {
  readonly name: string;
  /** Where the program is installed, and where the image has it. */
  readonly from: string;
  readonly to: string;
  /** Files of this machine that it reads besides, each at its own place. */
  readonly also?: readonly string[];
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[];
}

export async function makeInstalledImage(host: string, image: InstalledImage): Promise<void> {
  await using root = await makeScratch('image');
  const program = await realpath(image.from);
  const { stdout: linked } = await run('ldd', [program]).catch(() => ({ stdout: '' }));
  const libraries = linked.match(/\/\S+/g) ?? [];
  const inPlace = [...libraries, ...(image.also ?? [])].map((path) => [path, path] as const);
  for (const [from, to] of [[program, image.to] as const, ...inPlace]) {
    await mkdir(join(root.path, dirname(to)), { recursive: true });
    await cp(from, join(root.path, to), { dereference: true });
  }

  const signal = AbortSignal.timeout(MADE_WITHIN_MS);
  const changes = image.changes.flatMap((change) => ['--change', change]);
  const tar = spawn('tar', ['-C', root.path, '-cf', '-', '.'], {
    signal,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const imported = spawn('docker', ['import', ...changes, '-', image.name], {
    signal,
    env: { ...process.env, DOCKER_HOST: host },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const [[status]] = await Promise.all([
    once(imported, 'exit'),
    pipeline(tar.stdout, imported.stdin),
  ]);
  if (status !== 0) throw new Error(`docker import ended with exit status ${status}`);
}
