/**
 * From what etcd holds to what nginx may be given. Pure. Everything below the prefix
 * ends up in one of two lists: a backend, or set aside with its reason.
 */
import { type Backend, type Parsed, parseBackend } from '../../registry/backend.ts';
import type { StoredKey } from '../../registry/store.ts';

export interface SetAside {
  readonly key: string;
  readonly reason: string;
}

export interface Pool {
  /** By key, each address once. */
  readonly backends: readonly Backend[];
  readonly setAside: readonly SetAside[];
}

export const emptyPool: Pool = { backends: [], setAside: [] };

/** A key that is no backend can be anything: shown on one line, and not without end. */
const shownKey = (key: string) => {
  const quoted = /^[\w./-]+$/.test(key) ? key : JSON.stringify(key);
  return quoted.length > 128 ? `${quoted.slice(0, 128)}...` : quoted;
};

/** What was read before: a key that did not change is the same object, and so is its backend. */
const known = new WeakMap<StoredKey, Parsed<Backend>>();

function backendOf(prefix: string, stored: StoredKey): Parsed<Backend> {
  const before = known.get(stored);
  if (before) return before;
  const parsed = parseBackend(prefix, stored.key, stored.value, stored.valueBytes);
  known.set(stored, parsed);
  return parsed;
}

/** @param keys of one prefix: always read as backends of the same one. */
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
      setAside.push({ key, reason: `value: ${address} is already the address of ${first}` });
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
