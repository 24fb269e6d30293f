/** The options of `rollcall balancer`, and the contradictions between them. */
import { UsageError } from '../lib/errors.ts';
import {
  accessLog,
  nginxConfirmListen,
  nginxConfirmUrl,
  nginxListen,
  reloadMethod,
} from './nginx-values.ts';
import type { OptionValues } from './option.ts';
import { onOff, option, optional } from './option.ts';
import { sharedOptions } from './shared-options.ts';
import { absolutePath, keyPrefix } from './values.ts';

export const balancerOptions = {
  prefix: option({
    placeholder: 'PREFIX',
    help: 'each key directly below it is a backend',
    default: '/test',
    parse: keyPrefix,
  }),
  nginxConf: option({
    placeholder: 'FILE',
    help: 'the file to write; its directory must be writable',
    default: '/etc/nginx/nginx.conf',
    parse: absolutePath,
  }),
  nginxPid: option({
    placeholder: 'FILE',
    help: 'nginx\'s pid file, rendered as nginx\'s "pid"',
    default: '/run/nginx.pid',
    parse: absolutePath,
  }),
  nginxBin: option({
    placeholder: 'PROGRAM',
    help: 'the nginx that checks the file, by path or by name',
    default: 'nginx',
    parse: (text) => (/^[\w.-]+$/.test(text) ? text : absolutePath(text)),
  }),
  listen: option({
    placeholder: 'ADDRESS',
    help: 'where nginx serves: anything that nginx\'s "listen" takes',
    default: '80',
    parse: nginxListen,
  }),
  template: option({
    placeholder: 'FILE',
    help: 'a Liquid template of your own for the whole file',
    default: '',
    defaultHelp: 'the built-in one',
    parse: optional(absolutePath),
  }),
  reload: option({
    placeholder: 'METHOD',
    help: 'signal (by pid file), docker:CONTAINER (by the engine) or exec:COMMAND (no shell)',
    default: 'signal',
    parse: reloadMethod,
  }),
  confirmListen: option({
    placeholder: 'ADDRESS',
    help: 'where nginx serves its generation; keep it private',
    default: '127.0.0.1:8079',
    parse: nginxConfirmListen,
  }),
  confirmUrl: option({
    placeholder: 'URL',
    help: 'where the balancer asks for that generation',
    default: 'http://127.0.0.1:8079/',
    parse: nginxConfirmUrl,
  }),
  errorLog: option({
    placeholder: 'FILE',
    help: 'rendered as nginx\'s "error_log"; stderr is accepted',
    default: '/var/log/nginx/error.log',
    parse: (text) => (text === 'stderr' ? text : absolutePath(text)),
  }),
  accessLog: option({
    placeholder: 'FILE',
    help: 'rendered as nginx\'s "access_log"; off is accepted',
    default: '/var/log/nginx/access.log',
    parse: accessLog,
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

export type BalancerSettings = OptionValues<typeof balancerOptions>;

/** @throws UsageError for options that contradict each other. */
export function balancerSettings(values: BalancerSettings): BalancerSettings {
  const { listen, confirmListen, once, dryRun, confirmUrl } = values;
  if (once && dryRun) throw new UsageError('--once and --dry-run contradict each other: give one');
  if (listen === confirmListen) {
    throw new UsageError(
      `--listen and --confirm-listen are both ${listen}: the confirmation needs an address of its own`,
    );
  }
  const port = Number(/(\d+)$/.exec(confirmListen)?.[1] ?? 80);
  const url = new URL(confirmUrl);
  if (
    url.hostname === '127.0.0.1' &&
    confirmListen.startsWith('127.0.0.1:') &&
    Number(url.port || 80) !== port
  ) {
    throw new UsageError(
      `--confirm-url ${confirmUrl} does not reach --confirm-listen ${confirmListen}: give both the same port`,
    );
  }
  return values;
}
