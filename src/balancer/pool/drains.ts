/**
 * What the records beside the keys tell of drains. Pure. Of ten thousand records in which one changes,
 * one is looked at: what was found in the copy before is known by that copy.
 */
import { drainOrderKey, isDrainOrder, readDrainOrder } from '../../registry/drain-order.ts';
import { parseRecord, recordKey, verdictOn } from '../../registry/record.ts';
import type { Snapshot } from '../../registry/snapshot.ts';
import type { StoredKey } from '../../registry/store.ts';

export interface Drains {
  /** The newest revision at which one of them was written; 0: there are none. */
  readonly revision: number;
  /** Orders, and records of who is drained, by key. */
  readonly told: ReadonlyMap<string, StoredKey>;
}

/** One whose key is gone because of a drain. */
export interface Drained {
  readonly key: string;
  /** Null: there is no record that says it. */
  readonly address: string | null;
  readonly reason: string;
}

type StoredKeys = ReadonlyMap<string, StoredKey>;

const none: Drains = { revision: 0, told: new Map() };

const found = new WeakMap<StoredKeys, Drains>();

/** @param records of one prefix; undefined: nothing is known of them. */
export function drainsIn(records: Snapshot | undefined): Drains {
  if (!records) return none;
  const { keys, madeOf } = records;
  const known = found.get(keys);
  if (known) return known;
  const before = madeOf && found.get(madeOf.before);
  const drains = before ? drainsAfter(before, keys, madeOf.changed) : drainsOf(keys.values());
  found.set(keys, drains);
  return drains;
}

function drainsAfter(before: Drains, keys: StoredKeys, changed: readonly string[]): Drains {
  const concerned = changed.filter((key) => before.told.has(key) || isOfDrain(keys.get(key)));
  if (concerned.length === 0) return before;
  const told = new Map(before.told);
  for (const key of concerned) told.delete(key);
  return drainsOf([...told.values(), ...concerned.flatMap((key) => keys.get(key) ?? [])]);
}

function drainsOf(all: Iterable<StoredKey>): Drains {
  const those = [...all].filter(isOfDrain);
  return {
    revision: those.reduce((newest, { modRevision }) => Math.max(newest, modRevision), 0),
    told: new Map(those.map((one) => [one.key, one])),
  };
}

const isOfDrain = (stored: StoredKey | undefined): boolean =>
  stored !== undefined && (isDrainOrder(stored.key) || verdictOn(undefined, stored) === 'drained');

/**
 * By key. Without a key, an order alone is enough: its watchdog may have ended long ago.
 * @param keys of the prefix, as they are now.
 */
export function drainedIn(
  prefix: string,
  recordPrefix: string,
  keys: StoredKeys,
  records: Snapshot | undefined,
): readonly Drained[] {
  const { told } = drainsIn(records);
  const below = `${recordKey(recordPrefix, prefix)}/`;
  const names = new Set([...told.keys()].map((key) => key.slice(below.length).replace(/:.*/, '')));
  return [...names]
    .filter((name) => /^[A-Za-z0-9._-]+$/.test(name) && !keys.has(`${prefix}/${name}`))
    .toSorted()
    .map((name) => {
      const key = `${prefix}/${name}`;
      const record = records?.keys.get(`${below}${name}`);
      const parsed = record && parseRecord(record.value);
      const drain = parsed?.ok ? parsed.value.drain : null;
      const order = told.get(drainOrderKey(recordPrefix, key));
      return {
        key,
        address: parsed?.ok ? parsed.value.address : null,
        reason: order
          ? orderedText(order)
          : `drained by ${drain?.by ?? 'somebody'} since ${drain?.since ?? 'some time'}`,
      };
    });
}

function orderedText({ value }: StoredKey): string {
  const { by, at, reason } = readDrainOrder(value);
  const since = at === null ? '' : ` since ${at}`;
  return `drained by ${by}${since}${reason === null ? '' : `: ${reason}`}`;
}
