/**
 * The options that say what is rendered, for `rollcall balancer` and `rollcall render` alike, and
 * the contradictions between them.
 */
import type { Service } from './service.ts';
import { UsageError } from '../lib/errors.ts';
import { accessLog, nginxConfirmListen, nginxConfirmUrl, nginxListen } from './nginx-values.ts';
import type { OptionValues } from './option.ts';
import { option, optional } from './option.ts';
import { onlyService, services } from './service-values.ts';
import { absolutePath, duration, keyPrefix } from './values.ts';

const defaultPrefix = '/test';

export const renderOptions = {
  prefix: option({
    placeholder: 'PREFIX',
    help: 'each key directly below it is a backend of the one service',
    default: '',
    defaultHelp: `${defaultPrefix}, unless --service is given`,
    parse: optional(keyPrefix),
  }),
  service: option({
    placeholder: "'NAME=/PREFIX ...'",
    help: 'one of several services; may be given again, in the variable one a line',
    default: '',
    defaultHelp: 'the one of --prefix',
    separator: '\n',
    parse: optional(services),
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
  nginxPid: option({
    placeholder: 'FILE',
    help: 'nginx\'s pid file, rendered as nginx\'s "pid"',
    default: '/run/nginx.pid',
    parse: absolutePath,
  }),
  nginxTemp: option({
    placeholder: 'DIRECTORY',
    help: 'nginx keeps its temporary files below it, for an nginx without root or on a read-only file system',
    default: '',
    defaultHelp: 'where it was built to',
    parse: optional(absolutePath),
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
  workerShutdownTimeout: option({
    placeholder: 'DURATION',
    help: 'how long an old worker of nginx may wait for its last connections',
    default: '240s',
    parse: duration({ minMs: 1000, maxMs: 86_400_000 }),
  }),
};

/** Those of `rollcall render`. */
export const renderCommandOptions = {
  ...renderOptions,
  backends: option({
    placeholder: 'FILE',
    help: 'a JSON object of keys and values as etcd would hold them',
    default: '-',
    defaultHelp: 'standard input',
    parse: (text) => text,
  }),
};

export type RenderOptionValues = OptionValues<typeof renderOptions>;

export interface Services {
  /** One or more. */
  readonly services: readonly Service[];
}

/** @throws UsageError for options that contradict each other. */
export function checkRenderOptions(values: RenderOptionValues): Services {
  const { prefix, service, listen, confirmListen, confirmUrl } = values;
  if (prefix !== undefined && service) {
    throw new UsageError(
      `--prefix ${prefix} and --service contradict each other: give --service backend=${prefix} instead of --prefix`,
    );
  }
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
  return { services: service ?? [onlyService(prefix ?? defaultPrefix)] };
}
