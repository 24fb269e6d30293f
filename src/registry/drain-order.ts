/**
 * An operator's order to drain a backend. Pure. It has no lease: it stands until it is taken back,
 * whatever becomes of the watchdog and of whoever gave it. While it stands no watchdog holds the
 * key. That it is there is the order; what it says is for people, so that one put by hand with
 * etcdctl, whatever its value, is an order too; and so is one of any format. What is read of it means
 * the same in every format.
 *
 *   key    RECORD_PREFIX/watchdogs/PREFIX/NAME:drain    (a colon stands in no key of a backend)
 *   value  a JSON object of the fields below
 *
 * It lies beside the record of the watchdog, where balancers look for what explains a key that is gone.
 */
import { printable } from '../lib/printable.ts';
import { format } from './format.ts';
import { parseJsonObject } from './json-object.ts';
import { recordKey } from './record.ts';

export interface DrainOrder {
  /** USER@HOST. */
  readonly by: string;
  /** ISO 8601 in UTC; null: it was put by hand. */
  readonly at: string | null;
  /** In the operator's words. */
  readonly reason: string | null;
  /** What a key without a lease held when the order took it away; it is put back with it. */
  readonly value: string | null;
}

const suffix = ':drain';

const maxChars = { by: 128, at: 64, reason: 200, value: 2048 } as const;

export const drainOrderKey = (recordPrefix: string, key: string) =>
  `${recordKey(recordPrefix, key)}${suffix}`;

/** Is this, of the keys among the records, an order and not a record? */
export const isDrainOrder = (key: string) => key.endsWith(suffix);

export function formatDrainOrder({ by, at, reason, value }: DrainOrder): string {
  return JSON.stringify({
    format,
    by: printable(by, maxChars.by),
    at,
    reason: reason === null ? null : printable(reason, maxChars.reason),
    value,
  });
}

export function readDrainOrder(text: string): DrainOrder {
  const parsed = parseJsonObject(text);
  const object = parsed.ok ? parsed.value : {};
  const field = (name: 'by' | 'at' | 'reason') => {
    const value = object[name];
    return typeof value === 'string' ? printable(value, maxChars[name]) : null;
  };
  const { value } = object;
  return {
    by: field('by') ?? 'somebody, by hand',
    ...{ at: field('at'), reason: field('reason') },
    value: typeof value === 'string' && value.length <= maxChars.value ? value : null,
  };
}
