/**
 * Pools from a JSON object of keys and values, as somebody wrote it by hand. Pure. They are read
 * as those of etcd are: a value is the text that etcd would hold, or the object of its JSON.
 */
import { printable } from '../../lib/printable.ts';
import type { Parsed } from '../../registry/backend.ts';
import { isJsonObject, parseJsonObject } from '../../registry/json-object.ts';
import type { StoredKey } from '../../registry/store.ts';
import type { ServedService } from './variables.ts';
import type { Service } from '../../options/service.ts';
import { poolOf, type SetAside } from '../pool/pool.ts';

export interface GivenPools {
  readonly served: readonly ServedService[];
  readonly setAside: readonly SetAside[];
}

export function givenPools(services: readonly Service[], text: string): Parsed<GivenPools> {
  const object = parseJsonObject(text);
  if (!object.ok) return object;
  const setAside: SetAside[] = [];
  const keys = new Map<Service, StoredKey[]>(services.map((service) => [service, []]));
  for (const [key, given] of Object.entries(object.value)) {
    const value = isJsonObject(given) ? JSON.stringify(given) : given;
    const service = services.find(({ prefix }) => key.startsWith(`${prefix}/`));
    if (!service) {
      const prefixes = services.map(({ prefix }) => `${prefix}/`).join(', ');
      setAside.push({ key: shown(key), reason: `key: it is not below ${prefixes}` });
    } else if (typeof value !== 'string') {
      setAside.push({ key: shown(key), reason: 'value: it is neither text nor an object' });
    } else {
      keys.get(service)?.push(stored(key, value));
    }
  }
  const served = services.map((service) => {
    const pool = poolOf(service.prefix, keys.get(service) ?? []);
    setAside.push(...pool.setAside);
    return { service, backends: pool.backends };
  });
  return { ok: true, value: { served, setAside } };
}

const shown = (key: string) => printable(key, 128);

const stored = (key: string, value: string): StoredKey => ({
  ...{ key, value, valueBytes: Buffer.byteLength(value) },
  ...{ modRevision: 0, leaseId: '0' },
});
