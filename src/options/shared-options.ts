/** Options that the watchdog and the balancer have in common. */
import { logLevels } from '../lib/log.ts';
import { adminOption } from './admin-option.ts';
import { etcdOptions } from './etcd-options.ts';
import { option } from './option.ts';
import { choice } from './values.ts';

export const sharedOptions = {
  ...etcdOptions,
  logLevel: option({
    placeholder: 'LEVEL',
    help: `how much to log: ${logLevels.join(', ')}`,
    default: 'info',
    parse: choice(...logLevels),
  }),
  admin: adminOption,
};
