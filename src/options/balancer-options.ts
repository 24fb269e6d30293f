/** The options of `rollcall balancer`, and the contradictions between them. */
import { UsageError } from '../lib/errors.ts';
import { nginxConfOption } from './nginx-conf.ts';
import { reloadMethod } from './nginx-values.ts';
import type { OptionValues } from './option.ts';
import { onOff, option, optional } from './option.ts';
import { percent } from './percent.ts';
import { recordPrefix, refuseAmongRecords } from './record-prefix.ts';
import { checkRenderOptions, renderOptions, type Services } from './render-options.ts';
import { sharedOptions } from './shared-options.ts';
import { absolutePath, count, duration, formatDuration } from './values.ts';

export const balancerOptions = {
  ...renderOptions,
  nginxConf: nginxConfOption,
  nginxBin: option({
    placeholder: 'PROGRAM',
    help: 'the nginx that checks the file, by path or by name',
    default: 'nginx',
    parse: (text) => (/^[\w.-]+$/.test(text) ? text : absolutePath(text)),
  }),
  reload: option({
    placeholder: 'METHOD',
    help: 'signal (by pid file), docker:CONTAINER (by the engine) or exec:COMMAND (no shell)',
    default: 'signal',
    parse: reloadMethod,
  }),
  state: option({
    placeholder: 'FILE',
    help: 'where the last good pool is kept for a start without etcd',
    default: '',
    defaultHelp: 'beside nginx.conf',
    parse: optional(absolutePath),
  }),
  hold: option({
    placeholder: 'DURATION',
    help: 'how long backends that vanished together, unexplained, are kept while etcd answers',
    default: '10s',
    parse: duration({ minMs: 1000, maxMs: 600_000 }),
  }),
  holdAbove: option({
    placeholder: 'PERCENT',
    help:
      "more than this share of a service's backends, and at least two, gone at once unexplained: " +
      'they are held; 100% never holds',
    default: '50%',
    parse: percent,
  }),
  settle: option({
    placeholder: 'DURATION',
    help: 'quiet time before additions are applied',
    default: '100ms',
    parse: duration({ minMs: 0, maxMs: 60_000 }),
  }),
  settleMax: option({
    placeholder: 'DURATION',
    help: 'an addition waits no longer than this',
    default: '1s',
    parse: duration({ minMs: 0, maxMs: 600_000 }),
  }),
  maxGenerations: option({
    placeholder: 'COUNT',
    help: 'while so many generations of nginx live, additions wait',
    default: '8',
    parse: count(2, 100),
  }),
  recordPrefix,
  ttl: option({
    placeholder: 'DURATION',
    help: 'the lease of its acknowledgement: how long a balancer that died can hold up a drain',
    default: '10s',
    parse: duration({ minMs: 2000, maxMs: 300_000, wholeSeconds: true }),
  }),
  once: option({
    help: 'render, check, swap, reload and confirm once; exit 0, or 1 with the reason',
    ...onOff,
  }),
  dryRun: option({
    help: 'print the file and how it differs from the one on disk; change nothing',
    ...onOff,
  }),
  ...sharedOptions,
};

type BalancerOptionValues = OptionValues<typeof balancerOptions>;

export type BalancerSettings = BalancerOptionValues & Services;

/** @throws UsageError for options that contradict each other. */
export function balancerSettings(values: BalancerOptionValues): BalancerSettings {
  const { once, dryRun, settle, settleMax } = values;
  if (once && dryRun) throw new UsageError('--once and --dry-run contradict each other: give one');
  const { services } = checkRenderOptions(values);
  for (const { name, prefix } of services) {
    const given = values.service ? `--service ${name}=${prefix}` : `--prefix ${prefix}`;
    refuseAmongRecords(values.recordPrefix, prefix, given);
  }
  if (settle > settleMax) {
    const [quiet, longest] = [formatDuration(settle), formatDuration(settleMax)];
    throw new UsageError(
      `--settle ${quiet} is longer than --settle-max ${longest}: give --settle-max ${quiet} or more`,
    );
  }
  refuseSharedFile(values);
  return { ...values, services };
}

/** What is written would be written over whatever is there. */
function refuseSharedFile(values: BalancerOptionValues): void {
  const { state, nginxConf, nginxPid, template, errorLog, accessLog } = values;
  const written = { '--state': state, '--nginx-conf': nginxConf };
  const others = {
    ...{ '--nginx-conf': nginxConf, '--nginx-pid': nginxPid, '--template': template },
    ...{ '--error-log': errorLog, '--access-log': accessLog },
  };
  for (const [own, path] of Object.entries(written)) {
    for (const [flag, other] of Object.entries(others)) {
      if (path === undefined || path !== other || own === flag) continue;
      const what = own === '--state' ? 'the state' : 'what is written there';
      throw new UsageError(
        `${own} and ${flag} are both ${path}: ${what} needs a file of its own, such as ${path}.${own === '--state' ? 'state' : 'conf'}`,
      );
    }
  }
}
