/**
 * Where a process tells how it does, for whoever serves it and whoever asks. Apart from the other
 * shared options: `rollcall health` runs every few seconds, and would load the log and the client
 * of etcd with them.
 */
import { option, optional } from './option.ts';
import { socketAddress } from './values.ts';

export const adminOption = option({
  placeholder: 'HOST:PORT',
  help: 'where to serve /metrics, /status, /-/healthy and /-/ready',
  default: '',
  defaultHelp: 'not served',
  parse: optional(socketAddress),
});
