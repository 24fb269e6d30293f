/**
 * From what etcd holds to what nginx may be given. Pure. Everything below the prefix
 * ends up in one of two lists: a backend, or set aside with its reason.
 */
import { type Backend, type Parsed, parseBackend } from '../../registry/backend.ts';
import type { StoredKey } from '../../registry/store.ts';

export interface SetAside {
  readonly key: string;
  readonly reason: string;
  /** It is a backend all the same, whose address this other key has already. */
  readonly duplicateOf?: string;
}

export interface Pool {
  /** By key, each address once. */
  readonly backends: readonly Backend[];
  readonly setAside: readonly SetAside[];
}

export const emptyPool: Pool = { backends: [], setAside: [] };

/** @param keys of one prefix. */
export function poolOf(prefix: string, keys: Iterable<StoredKey>): Pool {
  const backends: Backend[] = [];
  const setAside: SetAside[] = [];
  const keyByAddress = new Map<string, string>();
  for (const stored of [...keys].toSorted(byKey)) {
    const { key } = stored;
    const parsed = backendOf(prefix, stored);
    if (!parsed.ok) {
      setAside.push({ key: shownKey(key), reason: parsed.reason });
      continue;
    }
    const { address } = parsed.value;
    const first = keyByAddress.get(address);
    if (first !== undefined) {
      // Twice in the upstream would be twice the traffic.
      const reason = `value: ${address} is already the address of ${first}`;
      setAside.push({ key, reason, duplicateOf: first });
      continue;
    }
    keyByAddress.set(address, key);
    backends.push(parsed.value);
  }
  return { backends, setAside };
}

/** The order of backends in the file: etcd's own, so that the same pool is the same file. */
export const byKey = (a: { readonly key: string }, b: { readonly key: string }) =>
  a.key < b.key ? -1 : 1;

/**
 * A key that is no backend can be anything: shown on one line, and not without end. Long ones that
 * begin alike are told apart by how they end.
 */
const shownKey = (key: string) => {
  const quoted = /^[\w./-]+$/.test(key) ? key : JSON.stringify(key);
  return quoted.length > 128 ? `${quoted.slice(0, 84)}...${quoted.slice(-40)}` : quoted;
};

/** What was read before: a key that did not change is the same object, and so is its backend. */
const known = new WeakMap<StoredKey, Parsed<Backend>>();

function backendOf(prefix: string, stored: StoredKey): Parsed<Backend> {
  const read = known.get(stored);
  if (read) return read;
  const parsed = parseBackend(prefix, stored.key, stored.value, stored.valueBytes);
  known.set(stored, parsed);
  return parsed;
}

const mostPatched = 64;

/**
 * The pool of `keys`, given that of the keys before: of ten thousand in which one changes, one is
 * looked at. Undefined where it is not as simple as backends that come, go and change, each with
 * an address of its own.
 */
export function patchedPool(
  prefix: string,
  before: Pool,
  keys: ReadonlyMap<string, StoredKey>,
  changed: readonly string[],
): Pool | undefined {
  // A key that is set aside may be so for another one's sake.
  if (before.setAside.length > 0 || changed.length > mostPatched) return undefined;
  const backends = [...before.backends];
  for (const key of changed) {
    const stored = keys.get(key);
    const parsed = stored && backendOf(prefix, stored);
    if (parsed && !parsed.ok) return undefined;
    const at = placeOf(backends, key);
    const isThere = backends[at]?.key === key;
    backends.splice(at, isThere ? 1 : 0, ...(parsed ? [parsed.value] : []));
  }
  const addresses = new Set(backends.map(({ address }) => address));
  return addresses.size === backends.length ? { backends, setAside: [] } : undefined;
}

/** Where the key is, or would be. */
function placeOf(backends: readonly Backend[], key: string): number {
  let [low, high] = [0, backends.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((backends[middle]?.key ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Equal for nginx, and for a template. */
export const sameBackend = (a: Backend, b: Backend): boolean =>
  a === b ||
  (a.key === b.key &&
    a.address === b.address &&
    a.weight === b.weight &&
    JSON.stringify(a.meta) === JSON.stringify(b.meta));

/** The very same backends, one by one. */
export const identical = (a: readonly Backend[], b: readonly Backend[]): boolean =>
  a === b || (a.length === b.length && a.every((one, n) => one === b[n]));
