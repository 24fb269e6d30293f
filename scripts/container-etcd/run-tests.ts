/**
 * A vitest run that needs a Docker engine: an engine that answers is used as it is, otherwise one of
 * this run alone is started. What was started is ended after the tests, whatever ends them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Engine, useEngine } from './engine.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface TestRun extends AsyncDisposable {
  /** What vitest is told. */
  readonly words: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** @param prepare what else the tests need, given back at the end. Sets the exit status. */
export async function runTests(prepare: (engine: Engine) => Promise<TestRun>): Promise<void> {
  process.exitCode = await run(prepare, process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  });
}

async function run(
  prepare: (engine: Engine) => Promise<TestRun>,
  args: readonly string[],
): Promise<number> {
  let tests: ChildProcess | undefined;
  let interrupted = false;
  for (const name of FORWARDED) {
    process.on(name, () => {
      interrupted = true;
      tests?.kill(name);
    });
  }
  await using engine = await useEngine();
  process.stderr.write(`engine: ${engine.origin}\n`);
  await using plan = await prepare(engine);
  if (interrupted) return 1;

  tests = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...plan.words, ...args],
    { stdio: 'inherit', env: { ...process.env, DOCKER_HOST: engine.host, ...plan.env } },
  );
  const [status] = (await once(tests, 'exit')) as [number | null];
  return status ?? 1;
}
