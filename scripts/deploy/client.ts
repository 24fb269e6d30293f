/**
 * A docker client that has BuildKit: the one on PATH with its plugin, or an older one further on that
 * has it built in.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** From here on BuildKit is a plugin. */
const PLUGIN_SINCE_MAJOR = 23;
const ASKED_WITHIN_MS = 10_000;

const run = promisify(execFile);

export interface BuildClient {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
}

export async function clientWithBuildKit(host: string): Promise<BuildClient> {
  const env = { ...process.env, DOCKER_HOST: host, DOCKER_BUILDKIT: '1' };
  const paths = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  for (const program of paths.map((path) => join(path, 'docker')).filter(existsSync)) {
    const ask = (...args: readonly string[]) =>
      run(program, args, { env, timeout: ASKED_WITHIN_MS }).then(
        ({ stdout }) => stdout,
        () => '',
      );
    const major = Number.parseInt(await ask('version', '--format', '{{.Client.Version}}'), 10);
    if (major < PLUGIN_SINCE_MAJOR || (await ask('buildx', 'version')) !== '') {
      return { program, env };
    }
  }
  throw new Error('no docker client with BuildKit: install docker-buildx');
}
