/**
 * Docker Compose v2: the one that the docker client has, else that of a newer Debian, unpacked into a
 * directory of this run alone. Nothing is installed, and nothing is left in anybody's home.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fetchFromDebian } from '../container-etcd/debian-package.ts';
import { makeScratch } from '../parts/scratch.ts';

const ASKED_WITHIN_MS = 10_000;
const PLUGIN = 'docker-compose';

const run = promisify(execFile);

export interface Compose extends AsyncDisposable {
  /** With it, `docker compose` is version 2. */
  readonly env: NodeJS.ProcessEnv;
}

export async function useCompose(): Promise<Compose> {
  if (await answers(process.env)) return { env: {}, async [Symbol.asyncDispose]() {} };
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await makeScratch('compose'));
  const env = { DOCKER_CONFIG: join(scratch.path, 'config') };
  const plugins = join(env.DOCKER_CONFIG, 'cli-plugins');
  await mkdir(plugins, { recursive: true });
  const plugin = join(plugins, PLUGIN);
  const program = `usr/libexec/docker/cli-plugins/${PLUGIN}`;
  await fetchFromDebian({ name: PLUGIN, program }, plugin);
  await chmod(plugin, 0o755);
  if (!(await answers({ ...process.env, ...env }))) {
    throw new Error('docker compose does not answer with version 2');
  }
  const owned = stack.move();
  return { env, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function answers(env: NodeJS.ProcessEnv): Promise<boolean> {
  const call = run('docker', ['compose', 'version', '--short'], { env, timeout: ASKED_WITHIN_MS });
  const { stdout } = await call.catch(() => ({ stdout: '' }));
  return /^v?(?:[2-9]|\d\d)\./.test(stdout.trim());
}
