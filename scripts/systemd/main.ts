/**
 * `npm run test:systemd`: the compiled watchdog as a service of a real systemd, which runs in a
 * container. An engine that answers is used as it is; otherwise one of this run alone is started.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { useEngine } from '../container-etcd/engine.ts';
import { installPrograms } from '../setup/apt.mjs';
import { isInstalled } from '../setup/look.mjs';

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

  // Installed only, as files: on this machine it does not run.
  if (!isInstalled('systemctl')) {
    await installPrograms([{ name: 'systemd', commands: ['systemctl'], debian: 'systemd' }]);
  }
  await using engine = await useEngine();
  process.stderr.write(`engine: ${engine.origin}\n`);
  if (interrupted) return 1;

  tests = spawn(
    process.execPath,
    [
      ...['node_modules/vitest/vitest.mjs', 'run'],
      ...['--config', 'scripts/systemd/vitest.config.ts', '--root', '.', ...args],
    ],
    { stdio: 'inherit', env: { ...process.env, DOCKER_HOST: engine.host } },
  );
  const [status] = (await once(tests, 'exit')) as [number | null];
  return status ?? 1;
}
