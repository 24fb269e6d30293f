/** The options of `rollcall watchdog` that say how it leaves and when its start is complete. */
import { UsageError } from '../lib/errors.ts';
import type { DrainRules } from '../watchdog/drain/drain.ts';
import { readyWhens } from '../watchdog/supervision.ts';
import { balancers, drainUntil } from './drain-options.ts';
import type { OptionValues } from './option.ts';
import { option } from './option.ts';
import { choice, duration, formatDuration } from './values.ts';

const longestMs = 3_600_000;

export const watchdogDrainOptions = {
  drainTimeout: option({
    placeholder: 'DURATION',
    help: 'told to stop, it goes after this time whoever has not confirmed; 0s waits for nobody',
    default: '30s',
    parse: duration({ minMs: 0, maxMs: longestMs }),
  }),
  drainUntil,
  drainLinger: option({
    placeholder: 'DURATION',
    help: 'how long to serve on when all balancers have confirmed a drain',
    default: '0s',
    parse: duration({ minMs: 0, maxMs: longestMs }),
  }),
  drainGrace: option({
    placeholder: 'DURATION',
    help: 'how long to serve on without the key where no balancer is known, as with confd',
    default: '2s',
    parse: duration({ minMs: 0, maxMs: longestMs }),
  }),
  balancers: balancers(0),
  readyWhen: option({
    placeholder: 'WHAT',
    help: 'when systemd is told READY=1: held (the key is) or in-rotation (every live balancer serves it)',
    default: 'held',
    parse: choice(...readyWhens),
  }),
};

/** @throws UsageError where these options contradict each other. */
export function drainRules(values: OptionValues<typeof watchdogDrainOptions>): DrainRules {
  const { drainTimeout, drainLinger, drainGrace, drainUntil: until, balancers: least } = values;
  if (drainLinger > drainTimeout) {
    const [linger, timeout] = [formatDuration(drainLinger), formatDuration(drainTimeout)];
    throw new UsageError(
      `--drain-linger ${linger} is longer than --drain-timeout ${timeout}: it would never end by ` +
        `itself; give --drain-timeout ${formatDuration(drainLinger + 30_000)} or so`,
    );
  }
  return {
    ...{ timeoutMs: drainTimeout, graceMs: drainGrace, lingerMs: drainLinger },
    ...{ balancers: least, until },
  };
}
