/**
 * One call of the docker client, with a deadline; resolves to what it printed.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface DockerCall {
  readonly host: string | undefined;
  readonly withinMs: number;
}

export async function docker(
  { host, withinMs }: DockerCall,
  ...args: readonly string[]
): Promise<string> {
  const env = { ...process.env, ...(host && { DOCKER_HOST: host }) };
  const { stdout } = await run('docker', args, { env, timeout: withinMs });
  return stdout.trim();
}
