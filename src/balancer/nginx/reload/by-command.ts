/** A reload by the operator's own command, without a shell and with a deadline. */
import { failureOf, runCommand } from '../../../lib/run-command.ts';

const timeoutMs = 10_000;

/** @returns undefined when the command exited with 0, else why not. */
export async function reloadByCommand(
  command: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<string | undefined> {
  const failure = failureOf(await runCommand(command, timeoutMs, signal));
  return failure === undefined ? undefined : `${command[0]}: ${failure}`;
}
