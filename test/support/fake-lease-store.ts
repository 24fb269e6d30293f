/** One key and any number of leases in memory; `calls` tells what was asked for, in order. */
import type { LeaseStore, StoredKey } from '../../src/registry/store.ts';
import { storedKey } from './builders.ts';

export interface FakeLeaseStore extends LeaseStore {
  readonly calls: string[];
  stored: StoredKey | undefined;
  /** The lease runs out, and its key goes with it. */
  expire(leaseId: string): void;
  /** Awaited before each answer: a test may wait or throw there. */
  beforeAnswer: (call: string) => Promise<void>;
}

export function fakeLeaseStore(stored?: StoredKey): FakeLeaseStore {
  const ttls = new Map<string, number>();
  let revision = 10;
  let granted = 0;
  const answer = async (call: string) => {
    store.calls.push(call);
    await store.beforeAnswer(call);
  };
  const store: FakeLeaseStore = {
    calls: [],
    stored,
    beforeAnswer: async () => {},

    expire: (leaseId) => {
      ttls.delete(leaseId);
      if (store.stored?.leaseId === leaseId) store.stored = undefined;
    },

    grantLease: async (ttlMs) => {
      await answer('grant');
      granted += 1;
      const leaseId = `lease-${granted}`;
      ttls.set(leaseId, ttlMs);
      return { leaseId, ttlMs };
    },
    renewLease: async (leaseId) => {
      await answer(`renew ${leaseId}`);
      return ttls.get(leaseId) ?? 0;
    },
    revokeLease: async (leaseId) => {
      await answer(`revoke ${leaseId}`);
      store.expire(leaseId);
    },
    readKey: async () => {
      await answer('read');
      return store.stored;
    },
    putIfUnchanged: async ({ key, value, leaseId }, seen) => {
      await answer(`put under ${leaseId}`);
      if (store.stored?.modRevision !== seen?.modRevision) return false;
      revision += 1;
      store.stored = storedKey(key, value, { leaseId, modRevision: revision });
      return true;
    },
  };
  return store;
}
