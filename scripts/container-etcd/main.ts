/**
 * `npm run test:container-etcd`: the integration tests with an etcd from testcontainers, on a
 * machine that may have neither an engine nor a way to pull images.
 *
 * An engine that answers is used as it is. Otherwise Docker is installed where it is missing (root
 * on Debian), and an engine of this run alone is started and ended with it. An image that cannot be
 * had is made of the installed etcd.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { useEngine } from './engine.ts';
import { useImage } from './image.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});

async function main(args: readonly string[]): Promise<number> {
  let tests: ChildProcess | undefined;
  let interrupted = false;
  // What was started is ended after the tests, whatever ends them.
  for (const name of FORWARDED) {
    process.on(name, () => {
      interrupted = true;
      tests?.kill(name);
    });
  }

  await using engine = await useEngine();
  await using image = await useImage(engine.host);
  process.stderr.write(`engine: ${engine.origin}\nimage: ${image.origin}\n`);
  if (interrupted) return 1;

  tests = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--project', 'integration', ...args],
    {
      stdio: 'inherit',
      env: {
        ...process.env,
        DOCKER_HOST: engine.host,
        ROLLCALL_TEST_ETCD: 'container',
        ROLLCALL_TEST_ETCD_IMAGE: image.name,
      },
    },
  );
  const [status] = (await once(tests, 'exit')) as [number | null];
  return status ?? 1;
}
