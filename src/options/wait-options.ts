/** The options of `rollcall wait`, and what each command has that asks about one backend. */
import { UsageError } from '../lib/errors.ts';
import { splitKey } from '../registry/backend.ts';
import { balancers } from './drain-options.ts';
import { etcdOptions } from './etcd-options.ts';
import { onOff, option, type OptionValues } from './option.ts';
import { recordPrefix, refuseAmongRecords } from './record-prefix.ts';
import { backendKey, duration } from './values.ts';

/** Of the commands that operate on one backend. */
export const operatorOptions = {
  key: option({
    positional: true,
    placeholder: 'KEY',
    help: 'the key of the backend in etcd, such as /test/apache-8001',
    required: true,
    parse: backendKey,
  }),
  // The variable of that name is the watchdog's, for how long one probe may take.
  timeout: option({
    placeholder: 'DURATION',
    help: 'how long to wait at most; what is not confirmed by then is exit status 3',
    default: '30s',
    environment: false,
    parse: duration({ minMs: 10, maxMs: 86_400_000 }),
  }),
  balancers: balancers(1),
  recordPrefix,
  ...etcdOptions,
};

const { key, ...rest } = operatorOptions;

export const waitCommandOptions = {
  key,
  inRotation: option({
    help: 'wait until every balancer has confirmed that its nginx sends requests to it',
    environment: false,
    ...onOff,
  }),
  ...rest,
};

/** @throws UsageError where the key would lie among the records. */
export function checkOperatorOptions(values: OptionValues<typeof operatorOptions>): void {
  const { prefix } = splitKey(values.key);
  refuseAmongRecords(values.recordPrefix, prefix, `KEY ${values.key}`);
}

/** @throws UsageError where it is not said what to wait for. */
export function checkWaitOptions(values: OptionValues<typeof waitCommandOptions>): void {
  checkOperatorOptions(values);
  if (!values.inRotation) {
    throw new UsageError(
      `wait for what? Say it: rollcall wait ${values.key} --in-rotation ` +
        `(for the end of a drain: rollcall drain ${values.key} --wait)`,
    );
  }
}
