/** The options of `rollcall watchdog`, and the contradictions between them. */
import { UsageError } from '../lib/errors.ts';
import type { Rules } from '../watchdog/course.ts';
import type { DrainRules } from '../watchdog/drain/drain.ts';
import { longestRenewalGapMs } from '../watchdog/timing.ts';
import { backendOptions, checkBackendOptions } from './backend-options.ts';
import type { OptionValues } from './option.ts';
import { option } from './option.ts';
import { probeOptions, probeTarget } from './probe-options.ts';
import { sharedOptions } from './shared-options.ts';
import { drainRules, watchdogDrainOptions } from './watchdog-drain-options.ts';
import { count, duration, formatDuration } from './values.ts';

const longestTtlMs = 600_000;

export const watchdogOptions = {
  ...backendOptions,
  ...probeOptions,
  ttl: option({
    placeholder: 'DURATION',
    help: 'the lease: how long the key outlives a dead watchdog',
    default: '5s',
    // etcd grants whole seconds, and at least 2 (1.5 times its election timeout, rounded up).
    parse: duration({ minMs: 2000, maxMs: longestTtlMs, wholeSeconds: true }),
  }),
  interval: option({
    placeholder: 'DURATION',
    help: 'pause between probes while all is well',
    default: '1s',
    parse: duration({ minMs: 10, maxMs: 300_000 }),
  }),
  timeout: option({
    placeholder: 'DURATION',
    help: 'how long one probe may take, name look-up and body included',
    default: '1s',
    parse: duration({ minMs: 10, maxMs: 300_000 }),
  }),
  rise: option({
    placeholder: 'COUNT',
    help: 'passing probes in a row before the key is written',
    default: '1',
    parse: count(1, 100),
  }),
  fall: option({
    placeholder: 'COUNT',
    help: 'failing probes in a row before the key is removed',
    default: '2',
    parse: count(1, 100),
  }),
  fastInterval: option({
    placeholder: 'DURATION',
    help: 'pause between probes while in doubt',
    default: '250ms',
    parse: duration({ minMs: 10, maxMs: 300_000 }),
  }),
  startGrace: option({
    placeholder: 'DURATION',
    help: 'for so long after the start a failing probe means "starting", not "down"',
    default: '10s',
    parse: duration({ minMs: 0, maxMs: 3_600_000 }),
  }),
  ...watchdogDrainOptions,
  ...sharedOptions,
};

export type WatchdogSettings = OptionValues<typeof watchdogOptions> & {
  readonly rules: Rules;
  readonly drain: DrainRules;
};

/** For contradictions that do not depend on what the address will turn out to be. */
const anyAddress = '127.0.0.1:80';

/**
 * Puts together what follows from several options and refuses what contradicts itself.
 * @throws UsageError with the nearest settings that would do.
 */
export function watchdogSettings(values: OptionValues<typeof watchdogOptions>): WatchdogSettings {
  const { fastInterval, interval, ttl, timeout, fall, rise, startGrace } = values;
  checkBackendOptions(values);
  const drain = drainRules(values);
  probeTarget(values, anyAddress);
  if (fastInterval > interval) {
    throw new UsageError(
      `--fast-interval ${formatDuration(fastInterval)} is longer than --interval ` +
        `${formatDuration(interval)}: give at most ${formatDuration(interval)}`,
    );
  }
  const rules: Rules = {
    ...{ intervalMs: interval, fastIntervalMs: fastInterval, timeoutMs: timeout },
    ...{ rise, fall, startGraceMs: startGrace },
  };
  const gapMs = longestRenewalGapMs(rules);
  if (gapMs > ttl) {
    throw new UsageError(
      `--ttl ${formatDuration(ttl)} cannot hold: with --interval ${formatDuration(interval)}, ` +
        `--timeout ${formatDuration(timeout)}, --fast-interval ${formatDuration(fastInterval)} and ` +
        `--fall ${fall}, a backend that is still up may go ${formatDuration(Math.ceil(gapMs))} without a renewal: ` +
        (gapMs > longestTtlMs
          ? 'probe more often, or with a shorter --timeout or a smaller --fall'
          : `give --ttl ${Math.ceil(gapMs / 1000)}s or more, or probe more often`),
    );
  }
  return { ...values, rules, drain };
}
