/**
 * The etcd image: the configured one where it is present or can be pulled, else one made of the
 * installed etcd and the libraries it needs.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { findProgram } from '../parts/find-program.ts';
import { makeScratch } from '../parts/scratch.ts';
import { defaultEtcdImage } from './default-image.ts';
import { docker } from './docker.ts';

const MADE = 'rollcall-test/etcd:installed';
const PULLED_WITHIN_MS = 60_000;
const ASKED_WITHIN_MS = 10_000;
const MADE_WITHIN_MS = 60_000;

const run = promisify(execFile);

interface Image extends AsyncDisposable {
  readonly name: string;
  /** In words. */
  readonly origin: string;
}

export async function useImage(host: string): Promise<Image> {
  const name = process.env['ROLLCALL_TEST_ETCD_IMAGE'] ?? defaultEtcdImage;
  const kept = { name, async [Symbol.asyncDispose]() {} };
  if (await succeeds(docker({ host, withinMs: ASKED_WITHIN_MS }, 'image', 'inspect', name))) {
    return { ...kept, origin: `${name}, present` };
  }
  if (await succeeds(docker({ host, withinMs: PULLED_WITHIN_MS }, 'pull', '--quiet', name))) {
    return { ...kept, origin: `${name}, pulled` };
  }
  await makeImage(host);
  return {
    name: MADE,
    origin: `${MADE}, made of the installed etcd since ${name} cannot be pulled`,
    [Symbol.asyncDispose]: async () =>
      void (await docker({ host, withinMs: ASKED_WITHIN_MS }, 'image', 'rm', '--force', MADE)),
  };
}

async function makeImage(host: string): Promise<void> {
  await using root = await makeScratch('image');
  const etcd = await realpath(findProgram('etcd'));
  const { stdout: linked } = await run('ldd', [etcd]).catch(() => ({ stdout: '' }));
  const libraries = linked.match(/\/\S+/g) ?? [];
  for (const [from, to] of [
    [etcd, '/usr/local/bin/etcd'],
    ...libraries.map((path) => [path, path]),
  ]) {
    if (!from || !to) continue;
    await mkdir(join(root.path, dirname(to)), { recursive: true });
    await cp(from, join(root.path, to), { dereference: true });
  }

  const signal = AbortSignal.timeout(MADE_WITHIN_MS);
  const tar = spawn('tar', ['-C', root.path, '-cf', '-', '.'], {
    signal,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const imported = spawn('docker', ['import', '--change', 'ENV PATH=/usr/local/bin', '-', MADE], {
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

function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}
