/**
 * The first SIGTERM or SIGINT asks for an orderly end, by aborting the returned
 * signal. The second ends the process at once, with the status a shell gives to
 * a process that the signal killed.
 */
import { constants } from 'node:os';

export function shutdownSignal(): AbortSignal {
  const asked = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (asked.signal.aborted) process.exit(128 + constants.signals[name]);
      asked.abort(name);
    });
  }
  return asked.signal;
}
