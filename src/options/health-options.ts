/** The options of `rollcall health`. */
import { UsageError } from '../lib/errors.ts';
import { adminOption } from './admin-option.ts';
import { onOff, option, type OptionValues } from './option.ts';
import { duration, type SocketAddress } from './values.ts';

export const healthCommandOptions = {
  admin: option({
    ...adminOption,
    help: 'where the watchdog or balancer serves it: its own --admin',
    defaultHelp: 'none: it has to be said',
  }),
  ready: option({
    help: 'ask whether it does its duty (/-/ready), and not only whether it turns (/-/healthy)',
    environment: false,
    ...onOff,
  }),
  // The variable of that name is the watchdog's, for how long one probe may take.
  timeout: option({
    placeholder: 'DURATION',
    help: 'how long the answer may take',
    default: '2s',
    environment: false,
    parse: duration({ minMs: 10, maxMs: 60_000 }),
  }),
};

/** @throws UsageError where it is not said whom to ask. */
export function checkHealthOptions({
  admin,
}: OptionValues<typeof healthCommandOptions>): SocketAddress {
  if (admin === undefined) {
    throw new UsageError(
      '--admin HOST:PORT is required (or ROLLCALL_ADMIN): what the watchdog or balancer was given, such as 127.0.0.1:9100',
    );
  }
  return admin;
}
