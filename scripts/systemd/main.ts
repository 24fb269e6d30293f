/**
 * `npm run test:systemd`: the compiled watchdog as a service of a real systemd, which runs in a
 * container.
 */
import { runTests } from '../container-etcd/run-tests.ts';
import { installPrograms } from '../setup/apt.mjs';
import { isInstalled } from '../setup/look.mjs';

await runTests(async () => {
  // Installed only, as files: on this machine it does not run.
  if (!isInstalled('systemctl')) {
    await installPrograms([{ name: 'systemd', commands: ['systemctl'], debian: 'systemd' }]);
  }
  return {
    words: ['--config', 'scripts/systemd/vitest.config.ts', '--root', '.'],
    [Symbol.asyncDispose]: async () => {},
  };
});
