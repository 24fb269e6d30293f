/** What balancers acknowledge, as a drain and a start see it: short ways to say it. */
import {
  type Acknowledgement,
  acknowledgementKey,
  formatAcknowledgement,
} from '../../src/registry/acknowledgement.ts';
import type { Moment, StoredKey } from '../../src/registry/store.ts';
import { parseRecord } from '../../src/registry/record.ts';
import { storedKey } from './builders.ts';
import type { FakeLeaseStore } from './fake-lease-store.ts';
import { acknowledgements, recordKey } from './watching.ts';

const cluster = 'cluster';

export const saying = (
  host: string,
  revision: number,
  rest: Partial<Acknowledgement> = {},
): Acknowledgement => ({
  ...{ instance: host, host, pid: 7, version: '0.1.0', admin: null, service: 'web', cluster },
  ...{ revision, generation: '0a1b2c3d4e5f', olderLive: false, omits: [], omitsMore: false },
  ...rest,
});

/** Written right after what it speaks of, unless a test says otherwise. */
export const acknowledged = (said: Acknowledgement, modRevision = said.revision + 1): StoredKey =>
  storedKey(acknowledgementKey('/rollcall', '/test', said.instance), formatAcknowledgement(said), {
    ...{ modRevision, leaseId: said.instance },
  });

/** One look, with the key or without it. */
export const momentOf = (below: readonly StoredKey[], key?: StoredKey, revision = 100): Moment => ({
  clusterId: cluster,
  revision,
  keys: [key],
  below,
});

/** What the record of the watchdog in `watching` says of a drain. */
export const drainIn = (store: FakeLeaseStore) => {
  const parsed = parseRecord(store.keys.get(recordKey)?.value ?? '');
  return parsed.ok ? parsed.value.drain : undefined;
};

/** As a balancer does, once its nginx serves everything up to now. */
export function acknowledge(store: FakeLeaseStore, host: string, upTo?: number): void {
  const revision = upTo ?? Math.max(1, ...[...store.keys.values()].map((one) => one.modRevision));
  store.put(`${acknowledgements}/${host}`, formatAcknowledgement(saying(host, revision)), host);
}
