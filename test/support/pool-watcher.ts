/**
 * Reads nginx.conf again and again, as nginx would if it were restarted at any moment, and keeps
 * every set of backends that stood in it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { confOnDisk } from '../../scripts/demo/evidence.ts';

const EVERY_MS = 5;

export interface PoolWatcher extends AsyncDisposable {
  /** Each distinct set of addresses, in the order in which they were seen. */
  readonly seen: readonly string[];
  /** The smallest number of backends so far. */
  least(): number;
}

export function watchPool(conf: string): PoolWatcher {
  const stop = new AbortController();
  const seen: string[] = [];
  let least = Number.POSITIVE_INFINITY;
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const { addresses } = await confOnDisk(conf);
      least = Math.min(least, addresses.length);
      const set = addresses.join(' ');
      if (seen.at(-1) !== set) seen.push(set);
      await sleep(EVERY_MS);
    }
  })();
  return {
    seen,
    least: () => least,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };
}
