/** The smallest things that the tests speak of, each with defaults for what a test does not say. */
import { type Backend, parseBackend } from '../../src/registry/backend.ts';
import type { Service } from '../../src/options/service.ts';
import { onlyService } from '../../src/options/service-values.ts';
import type { WatchdogRecord } from '../../src/registry/record.ts';
import type { StoredKey } from '../../src/registry/store.ts';

export function storedKey(key: string, value: string, rest: Partial<StoredKey> = {}): StoredKey {
  return {
    key,
    value,
    valueBytes: Buffer.byteLength(value),
    modRevision: 1,
    leaseId: '0',
    ...rest,
  };
}

/** backend('a', 8001) is /test/a at 127.0.0.1:8001. */
export function backend(name: string, at: number | string): Backend {
  const address = typeof at === 'number' ? `127.0.0.1:${at}` : at;
  const parsed = parseBackend('/test', `/test/${name}`, address, address.length);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** The record of a watchdog that is up. */
export function recordOf(rest: Partial<WatchdogRecord> = {}): WatchdogRecord {
  return {
    ...{ instance: 'one', host: 'web1', pid: 42, version: '0.0.0', admin: null },
    ...{ address: '127.0.0.1:8001', probe: 'http://127.0.0.1:8001/', state: 'up' },
    ...{ since: '2026-01-01T00:00:00.000Z', reason: null },
    drain: null,
    ...rest,
  };
}

/** The service of /test, as --prefix alone makes it. */
export const service = (rest: Partial<Service> = {}): Service => ({
  ...onlyService('/test'),
  ...rest,
});
