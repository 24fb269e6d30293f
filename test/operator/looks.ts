/** Looks at /test/a for tests, and what balancers acknowledge in them. */
import { type Look, placesOf } from '../../src/operator/look.ts';
import {
  type Acknowledgement,
  acknowledgementKey,
  formatAcknowledgement,
} from '../../src/registry/acknowledgement.ts';
import { formatDrainOrder } from '../../src/registry/drain-order.ts';
import { formatRecord, type WatchdogRecord } from '../../src/registry/record.ts';
import type { StoredKey } from '../../src/registry/store.ts';
import { recordOf, storedKey } from '../support/builders.ts';

export const places = placesOf('/rollcall', '/test/a');

export const order = storedKey(
  places.orderKey,
  formatDrainOrder({ by: 'root@web1', at: null, reason: null, value: null }),
  { modRevision: 20 },
);

/** At revision 30, with nothing there but what is given. */
export const look = (rest: Partial<Look> = {}): Look => ({
  ...{ clusterId: 'c', revision: 30, key: undefined, record: undefined, order: undefined },
  acknowledgements: [],
  ...rest,
});

export const keyUnder = (leaseId: string, modRevision = 10): StoredKey =>
  storedKey(places.key, '127.0.0.1:8001', { leaseId, modRevision });

export const recordAt = (
  modRevision: number,
  rest: Partial<WatchdogRecord> = {},
  leaseId = '9',
): StoredKey => storedKey(places.recordKey, formatRecord(recordOf(rest)), { modRevision, leaseId });

export const drained = (by: string) => ({ by, since: '2026-01-31T12:00:00.000Z' });

/** Written after the look's revision, unless said otherwise. */
export function acknowledgement(
  host: string,
  rest: Partial<Acknowledgement> = {},
  modRevision = 29,
): StoredKey {
  const text = formatAcknowledgement({
    ...{ instance: host, host, pid: 7, version: '0.0.0', admin: null, service: 'backend' },
    ...{ cluster: 'c', revision: 25, generation: null, olderLive: false },
    ...{ omits: [], omitsMore: false },
    ...rest,
  });
  const key = acknowledgementKey('/rollcall', '/test', host);
  return storedKey(key, text, { modRevision, leaseId: '5' });
}
