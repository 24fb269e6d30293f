/**
 * Chooses the command, loads only that one, and is the only place that turns an
 * outcome into an exit status.
 *
 *   0      done, or stopped as asked
 *   1      it failed, or was refused
 *   2      it was asked wrongly: nothing was touched
 *   3      what was waited for did not come in time
 *   128+n  a wait was ended by signal n
 */
import { UsageError, messageOf } from './lib/errors.ts';
import { preferMemory } from './lib/prefer-memory.ts';
import { version } from './lib/version.ts';
import { HelpShown } from './options/command-line.ts';

const commands: Readonly<Record<string, () => Promise<CommandModule>>> = {
  watchdog: () => {
    // Only this one: the balancer may have thousands of backends to hold.
    preferMemory();
    return import('./commands/watchdog.ts');
  },
  balancer: () => {
    preferMemory();
    return import('./commands/balancer.ts');
  },
  health: () => import('./commands/health.ts'),
  seed: () => import('./commands/seed.ts'),
  render: () => import('./commands/render.ts'),
  drain: () => import('./commands/drain.ts'),
  undrain: () => import('./commands/undrain.ts'),
  wait: () => import('./commands/wait.ts'),
};

interface CommandModule {
  /** @returns the exit status. */
  run(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<number>;
}

const usage = `Usage: rollcall COMMAND [options]

  watchdog   probe one apache and hold its key in etcd while it passes
  balancer   keep nginx serving what etcd lists
  seed       make a directory ready for nginx to start on, before any balancer
  health     ask a watchdog or balancer how it does, for a container
  render     print the nginx.conf for backends from a file, without etcd and nginx
  drain      order that a backend is taken out of rotation
  undrain    take that back
  wait       wait until every nginx uses a backend

rollcall COMMAND --help lists the options of a command.
`;

async function main([name = '', ...argv]: readonly string[]): Promise<number> {
  if (['-h', '--help', 'help'].includes(name)) {
    process.stdout.write(usage);
    return 0;
  }
  if (['-V', '--version'].includes(name)) {
    process.stdout.write(`rollcall ${version}\n`);
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load) {
    const known = Object.keys(commands).join(', ');
    const wrong = name === '' ? 'no command given' : `unknown command ${JSON.stringify(name)}`;
    throw new UsageError(`${wrong}: one of ${known} (rollcall --help says more)`);
  }
  const command = await load();
  return await command.run(argv, process.env);
}

/**
 * A half-open connection would hold the process for a second or two after its work is
 * done: it ends as soon as all that it wrote has been taken.
 */
const lastLookMs = 20;
function endSoon(): void {
  setInterval(() => {
    if (process.stdout.writableLength + process.stderr.writableLength === 0) process.exit();
  }, lastLookMs).unref();
}

async function runToItsEnd(): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof HelpShown)) {
      process.stderr.write(`rollcall: ${messageOf(error)}\n`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    }
  }
  endSoon();
}

void runToItsEnd();
