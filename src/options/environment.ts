/**
 * A misspelt variable would be ignored in silence: ROLLCALL_TLL=5s. It is no error,
 * since container engines add variables of their own for a service named rollcall,
 * but it is said.
 */
import type { Log } from '../lib/log.ts';
import { balancerOptions } from './balancer-options.ts';
import { drainCommandOptions, undrainCommandOptions } from './drain-command-options.ts';
import { type OptionSet, variableFor } from './option.ts';
import { healthCommandOptions } from './health-options.ts';
import { renderCommandOptions } from './render-options.ts';
import { seedCommandOptions } from './seed-options.ts';
import { waitCommandOptions } from './wait-options.ts';
import { watchdogOptions } from './watchdog-options.ts';

const all: readonly OptionSet[] = [
  ...[watchdogOptions, balancerOptions, renderCommandOptions, seedCommandOptions],
  ...[drainCommandOptions, undrainCommandOptions, waitCommandOptions, healthCommandOptions],
];

const known = new Set(
  all.flatMap(Object.entries<OptionSet[string]>).map(([name, one]) => variableFor(name, one)),
);

export function unknownVariables(environment: Readonly<Record<string, string | undefined>>) {
  return Object.keys(environment).filter(
    (name) => name.startsWith('ROLLCALL_') && !known.has(name),
  );
}

export function warnOfUnknownVariables(
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
): void {
  for (const variable of unknownVariables(environment)) {
    log.warn({ variable }, 'this variable is no option of rollcall: ignored');
  }
}
