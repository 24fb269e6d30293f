/** Options that the watchdog and the balancer have in common. */
import { logLevels } from '../lib/log.ts';
import { option, optional } from './option.ts';
import { choice, endpoints, socketAddress } from './values.ts';

export const sharedOptions = {
  etcd: option({
    placeholder: 'URL[,URL]',
    help: 'etcd endpoints, tried in turn',
    default: 'http://127.0.0.1:2379',
    parse: endpoints,
  }),
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
