/**
 * What a drain is decided on: the backend, and who would be left without it. Of a prefix with
 * thousands of keys only as many are read as it takes to find one that would.
 */
import { parseBackend } from '../registry/backend.ts';
import { drainOrderKey } from '../registry/drain-order.ts';
import type { LeaseStore, StoredKey } from '../registry/store.ts';
import type { Places } from './look.ts';

export interface Scene {
  readonly clusterId: string;
  readonly key: StoredKey | undefined;
  readonly record: StoredKey | undefined;
  readonly order: StoredKey | undefined;
  /** Other backends of the prefix, drained or not, without those; of very many the first by name. */
  readonly others: readonly StoredKey[];
  /** Those of them with the address of the key: another name of the same backend. */
  readonly sameBackend: readonly string[];
  /** One of them, but for those, that no order drains. */
  readonly survivor: Survivor | undefined;
}

export interface Survivor {
  readonly stored: StoredKey;
  /** Where its order would lie. */
  readonly orderKey: string;
}

/** The first nearly always do. */
const readFirst = 32;
const readAtMost = 500;

/** etcd takes 128 operations in one transaction. */
const ordersAtOnce = 100;

export async function sceneOf(
  store: Pick<LeaseStore, 'readMoment' | 'readKeys'>,
  { places, recordPrefix }: { readonly places: Places; readonly recordPrefix: string },
  signal: AbortSignal,
): Promise<Scene> {
  const { prefix, recordKey, orderKey } = places;
  const read = async (limit: number): Promise<Scene> => {
    const asked = [places.key, recordKey, orderKey];
    const { clusterId, keys, below } = await store.readMoment(asked, prefix, limit, signal);
    const [key, record, order] = keys;
    const address = key && addressIn(places, key);
    const others = othersIn(places, below);
    const twins = others.filter((one) => address && addressIn(places, one) === address);
    const rest = others.filter((one) => !twins.includes(one));
    const survivor = await firstUndrained(store, rest, recordPrefix, signal);
    const sameBackend = twins.map((one) => one.key);
    const scene = { clusterId, key, record, order, others: rest, sameBackend, survivor };
    const isKnown = key !== undefined || record !== undefined || order !== undefined;
    // Nothing is known of it: then the names of the others matter, and more than a few of them.
    const isEnough = survivor !== undefined && isKnown;
    return isEnough || below.length < limit || limit === readAtMost ? scene : read(readAtMost);
  };
  return await read(readFirst);
}

/** Those that nginx would be given. */
const othersIn = (places: Places, below: readonly StoredKey[]) =>
  below.filter((one) => one.key !== places.key && addressIn(places, one) !== undefined);

/** Of a key that is no backend: undefined. */
function addressIn({ prefix }: Places, { key, value, valueBytes }: StoredKey): string | undefined {
  const parsed = parseBackend(prefix, key, value, valueBytes);
  return parsed.ok ? parsed.value.address : undefined;
}

async function firstUndrained(
  store: Pick<LeaseStore, 'readKeys'>,
  others: readonly StoredKey[],
  recordPrefix: string,
  signal: AbortSignal,
): Promise<Survivor | undefined> {
  for (let n = 0; n < others.length; n += ordersAtOnce) {
    const some = others
      .slice(n, n + ordersAtOnce)
      .map((stored) => ({ stored, orderKey: drainOrderKey(recordPrefix, stored.key) }));
    const orders = await store.readKeys(
      some.map(({ orderKey }) => orderKey),
      signal,
    );
    const found = some.find((_, index) => orders[index] === undefined);
    if (found) return found;
  }
  return undefined;
}
