/** One backend as etcd has it, all at one revision: its key, its record, its order, who acknowledges. */
import { acknowledgementsBelow } from '../registry/acknowledgement.ts';
import { splitKey } from '../registry/backend.ts';
import { drainOrderKey } from '../registry/drain-order.ts';
import { parseRecord, recordKey, type WatchdogRecord } from '../registry/record.ts';
import type { LeaseStore, Place, StoredKey } from '../registry/store.ts';
import { readWithBalancers } from '../registry/with-balancers.ts';

/** Where all of it lies. */
export interface Places {
  readonly key: string;
  /** Of the key; without its closing slash. */
  readonly prefix: string;
  /** The last part of the key. */
  readonly name: string;
  readonly recordKey: string;
  readonly orderKey: string;
  /** Below it lie the acknowledgements of the prefix; without its closing slash. */
  readonly balancers: string;
}

export interface Look {
  readonly clusterId: string;
  readonly revision: number;
  readonly key: StoredKey | undefined;
  readonly record: StoredKey | undefined;
  readonly order: StoredKey | undefined;
  readonly acknowledgements: readonly StoredKey[];
}

export function placesOf(recordPrefix: string, key: string): Places {
  const { prefix, name } = splitKey(key);
  return {
    ...{ key, prefix, name },
    recordKey: recordKey(recordPrefix, key),
    orderKey: drainOrderKey(recordPrefix, key),
    balancers: acknowledgementsBelow(recordPrefix, prefix),
  };
}

/** What of etcd a look depends on. */
export const placesSeen = ({ key, recordKey: record, orderKey, balancers }: Places) =>
  [{ key }, { key: record }, { key: orderKey }, { below: balancers }] as const satisfies Place[];

export async function lookAt(
  store: Pick<LeaseStore, 'readMoment'>,
  places: Places,
  signal: AbortSignal,
): Promise<Look> {
  const asked = [places.key, places.recordKey, places.orderKey];
  const moment = await readWithBalancers(store, asked, places.balancers, signal);
  const { clusterId, revision, keys, below: acknowledgements } = moment;
  const [key, record, order] = keys;
  return { clusterId, revision, key, record, order, acknowledgements };
}

/** A record without a lease vouches for nobody. */
export function watchdogIn(record: StoredKey | undefined): WatchdogRecord | undefined {
  const parsed = record && record.leaseId !== '0' ? parseRecord(record.value) : undefined;
  return parsed?.ok ? parsed.value : undefined;
}

/** Why nothing is known of a watchdog whose record is there: it is of a greater format, say. */
export function unreadIn(record: StoredKey | undefined): string | undefined {
  const parsed = record && record.leaseId !== '0' ? parseRecord(record.value) : undefined;
  return parsed && !parsed.ok ? parsed.reason : undefined;
}
