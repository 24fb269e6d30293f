/** The options of `rollcall watchdog` that say what it writes in etcd, and their contradictions. */
import { UsageError } from '../lib/errors.ts';
import { formatValue, maxJsonBytes, maxWeight, splitKey } from '../registry/backend.ts';
import { byHandPolicies } from '../watchdog/registration/claim.ts';
import { givenAddress, metadata } from './backend-values.ts';
import type { OptionValues } from './option.ts';
import { option, optional } from './option.ts';
import { recordPrefix, refuseAmongRecords } from './record-prefix.ts';
import { backendKey, choice, count } from './values.ts';

export const backendOptions = {
  key: option({
    placeholder: 'KEY',
    help: 'the key to hold in etcd, such as /test/apache-8001',
    required: true,
    parse: backendKey,
  }),
  address: option({
    placeholder: 'IP:PORT',
    help: "where nginx reaches this apache; :PORT is this host's own address on the way to etcd",
    required: true,
    parse: givenAddress,
  }),
  weight: option({
    placeholder: 'COUNT',
    help: `its share of the requests beside the others', 1 to ${maxWeight}`,
    default: '',
    defaultHelp: '1',
    parse: optional(count(1, maxWeight)),
  }),
  meta: option({
    placeholder: 'NAME=VALUE',
    help: 'more to say in the value of the key, such as zone=a; may be repeated',
    default: '',
    defaultHelp: 'none',
    separator: ',',
    parse: metadata,
  }),
  recordPrefix,
  byHand: option({
    placeholder: 'WHAT',
    help: `when somebody deletes or overwrites the key: ${byHandPolicies.join(' or ')}`,
    default: 'restore',
    parse: choice(...byHandPolicies),
  }),
};

export type BackendOptionValues = OptionValues<typeof backendOptions>;

/** Of an IPv6 address and a port, whatever they are: a value that fits with this one always fits. */
const longestAddress = `[fdff:${'ffff:'.repeat(6)}ffff]:65535`;

/** @throws UsageError where these options contradict each other. */
export function checkBackendOptions(values: BackendOptionValues): void {
  const { key, recordPrefix: records } = values;
  const { prefix } = splitKey(key);
  refuseAmongRecords(records, prefix, `--key ${key}`);
  const longestBytes = Buffer.byteLength(backendValue(values, longestAddress));
  if (longestBytes > maxJsonBytes) {
    throw new UsageError(
      `--meta: the value of the key could come to ${longestBytes} bytes: ` +
        `give ${longestBytes - maxJsonBytes} characters less, for at most ${maxJsonBytes}`,
    );
  }
}

/** The text to write at the key. */
export const backendValue = (
  { weight, meta }: Pick<BackendOptionValues, 'weight' | 'meta'>,
  address: string,
) => formatValue({ address, weight, meta });
