/** The options of `rollcall drain` and of `rollcall undrain`. */
import { drainUntil } from './drain-options.ts';
import { onOff, option, optional } from './option.ts';
import { BadValue } from './values.ts';
import { operatorOptions } from './wait-options.ts';

const maxReasonChars = 200;

/** On one line of whoever looks at the order later. */
function reasonText(text: string): string {
  if (Array.from(text).length > maxReasonChars || /[\p{C}\p{Zl}\p{Zp}]/u.test(text)) {
    throw new BadValue(`at most ${maxReasonChars} characters on one line`);
  }
  return text;
}

const { key, timeout, balancers, ...rest } = operatorOptions;

export const drainCommandOptions = {
  key,
  wait: option({
    help: 'wait until the drain is over',
    environment: false,
    ...onOff,
  }),
  timeout,
  drainUntil,
  balancers,
  reason: option({
    placeholder: 'TEXT',
    help: 'why, for whoever looks at the order later',
    default: '',
    defaultHelp: 'none',
    environment: false,
    parse: optional(reasonText),
  }),
  force: option({
    help: 'also when it is the last backend, or when nothing is known of it',
    environment: false,
    ...onOff,
  }),
  ...rest,
};

export const undrainCommandOptions = {
  key,
  wait: option({
    help: 'wait until every balancer has confirmed that its nginx sends requests to it',
    environment: false,
    ...onOff,
  }),
  timeout,
  balancers,
  ...rest,
};
