/** What an etcd says of its own version, in a run that does nothing else. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const SAID_WITHIN_MS = 5000;

const run = promisify(execFile);

/** @throws where it does not run here, or says nothing of a version. */
export async function etcdVersion(program: string): Promise<string> {
  const { stdout } = await run(program, ['--version'], { timeout: SAID_WITHIN_MS });
  const [, version] = /^etcd Version: (\d+\.\d+\.\d+\S*)/m.exec(stdout) ?? [];
  if (version === undefined) throw new Error(`${program} does not say its version`);
  return version;
}
