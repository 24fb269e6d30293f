/**
 * One run of the compiled command line to its end, as a script would see it: status, standard
 * output, standard error. It knows nothing of the environment but what it is given, has a deadline,
 * and does not outlive whoever asked.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { guardGroup, releaseGroup } from '../../scripts/parts/guard.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

const endsWithinMs = 20_000;

export interface Ran {
  /** Null: it was still running at the deadline, and was killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** A program and its words that run the command line in its turn. */
  readonly through?: readonly string[];
}

export async function runCli(
  args: readonly string[],
  { env = {}, through = [] }: Surroundings = {},
): Promise<Ran> {
  const [program = process.execPath, ...words] = [...through, process.execPath, cli, ...args];
  const child = spawn(program, words, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
    timeout: endsWithinMs,
    killSignal: 'SIGKILL',
  });
  const { pid } = child;
  if (pid !== undefined) guardGroup(pid);
  const [[status], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  if (pid !== undefined) releaseGroup(pid);
  return { status, stdout, stderr };
}
