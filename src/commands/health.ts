/** `rollcall health`: for a container's HEALTHCHECK, and for whoever has no curl at hand. */
import { ask } from '../admin/ask.ts';
import { type CommandSpec, parseCommandLine } from '../options/command-line.ts';
import { checkHealthOptions, healthCommandOptions } from '../options/health-options.ts';

export const spec: CommandSpec<typeof healthCommandOptions> = {
  name: 'health',
  summary: 'Ask a watchdog or balancer how it does: exit status 0, or 1 and why.',
  options: healthCommandOptions,
};

export async function run(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const settings = parseCommandLine(spec, argv, environment);
  const { host, port } = checkHealthOptions(settings);
  const path = settings.ready ? '/-/ready' : '/-/healthy';
  const { ok, words } = await ask({ host, port, path, timeoutMs: settings.timeout });
  (ok ? process.stdout : process.stderr).write(ok ? `${words}\n` : `rollcall: ${words}\n`);
  return ok ? 0 : 1;
}
