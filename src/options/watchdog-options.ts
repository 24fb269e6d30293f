/** The options of `rollcall watchdog`, and the contradictions between them. */
import { UsageError } from '../lib/errors.ts';
import { longestRenewalGapMs } from '../watchdog/timing.ts';
import type { OptionValues } from './option.ts';
import { option, optional } from './option.ts';
import { sharedOptions } from './shared-options.ts';
import { backendAddress, backendKey, count, duration, formatDuration, httpUrl } from './values.ts';

export const watchdogOptions = {
  key: option({
    placeholder: 'KEY',
    help: 'the key to hold in etcd, such as /test/apache-8001',
    required: true,
    parse: backendKey,
  }),
  address: option({
    placeholder: 'IP:PORT',
    help: 'the value of the key: where nginx reaches this apache',
    required: true,
    parse: backendAddress,
  }),
  probe: option({
    placeholder: 'URL',
    help: 'what to ask this apache; any 2xx or 3xx answer passes',
    default: '',
    defaultHelp: 'http://ADDRESS/',
    parse: optional(httpUrl),
  }),
  ttl: option({
    placeholder: 'DURATION',
    help: 'the lease: how long the key outlives a dead watchdog',
    default: '5s',
    // etcd grants whole seconds, and at least 2 (1.5 times its election timeout, rounded up).
    parse: duration({ minMs: 2000, maxMs: 600_000, wholeSeconds: true }),
  }),
  interval: option({
    placeholder: 'DURATION',
    help: 'pause between probes while all is well',
    default: '1s',
    parse: duration({ minMs: 10, maxMs: 300_000 }),
  }),
  timeout: option({
    placeholder: 'DURATION',
    help: 'how long one probe may take, body included',
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
  ...sharedOptions,
};

export type WatchdogSettings = Omit<OptionValues<typeof watchdogOptions>, 'probe'> & {
  readonly probe: string;
};

/**
 * Fills in what follows from other options and refuses what contradicts itself.
 * @throws UsageError with the nearest settings that would do.
 */
export function watchdogSettings(values: OptionValues<typeof watchdogOptions>): WatchdogSettings {
  const { fastInterval, interval, ttl, timeout, fall } = values;
  if (fastInterval > interval) {
    throw new UsageError(
      `--fast-interval ${formatDuration(fastInterval)} is longer than --interval ` +
        `${formatDuration(interval)}: give at most ${formatDuration(interval)}`,
    );
  }
  const gapMs = longestRenewalGapMs({
    intervalMs: interval,
    timeoutMs: timeout,
    fall,
    fastIntervalMs: fastInterval,
  });
  if (gapMs > ttl) {
    throw new UsageError(
      `--ttl ${formatDuration(ttl)} cannot hold: with --interval ${formatDuration(interval)}, ` +
        `--timeout ${formatDuration(timeout)}, --fast-interval ${formatDuration(fastInterval)} and ` +
        `--fall ${fall}, a backend that is still up may go ${formatDuration(Math.ceil(gapMs))} without a renewal: ` +
        `give --ttl ${Math.ceil(gapMs / 1000)}s or more, or probe more often`,
    );
  }
  return { ...values, probe: values.probe ?? `http://${values.address}/` };
}
