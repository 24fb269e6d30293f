/**
 * A command that runs for long and is given nothing at all, as when somebody starts its image to
 * see what it is: it says what it takes, and starts nothing. `rollcall balancer` would otherwise
 * write over /etc/nginx/nginx.conf.
 */
import { UsageError } from '../lib/errors.ts';
import { type CommandSpec, commandOf } from './command-line.ts';
import { type OptionSet, variableFor } from './option.ts';
import type { sharedOptions } from './shared-options.ts';

/** They say how it is watched, and nothing of what it is to do: an image sets them by itself. */
const aboutWatching: readonly string[] = [
  'admin',
  'logLevel',
] satisfies readonly (keyof typeof sharedOptions)[];

/** @throws UsageError after its help, where neither a flag nor a variable says what to do. */
export function refuseNothingGiven<S extends OptionSet>(
  spec: CommandSpec<S>,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): void {
  if (argv.length > 0) return;
  const isGiven = ([name, declared]: readonly [string, OptionSet[string]]) => {
    const variable = variableFor(name, declared);
    return variable !== undefined && !aboutWatching.includes(name) && environment[variable];
  };
  if (Object.entries(spec.options).some(isGiven)) return;
  process.stderr.write(`${commandOf(spec).helpInformation()}\n`);
  throw new UsageError(
    `no option given: rollcall ${spec.name} needs to be told what to do, see above`,
  );
}
