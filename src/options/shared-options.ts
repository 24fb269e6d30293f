/** Options that the watchdog and the balancer have in common. */
import { logLevels } from '../lib/log.ts';
import { etcdOptions } from './etcd-options.ts';
import { option, optional } from './option.ts';
import { choice, socketAddress } from './values.ts';

export const sharedOptions = {
  ...etcdOptions,
  logLevel: option({
    placeholder: 'LEVEL',
    help: `how much to log: ${logLevels.join(', ')}`,
    default: 'info',
    parse: choice(...logLevels),
  }),
  admin: option({
    placeholder: 'HOST:PORT',
    help: 'where to serve /metrics, /status, /-/healthy and /-/ready',
    default: '',
    defaultHelp: 'not served',
    parse: optional(socketAddress),
  }),
};
