/** Any number of keys and leases in memory; `calls` tells what was asked for, in order. */
import type { Guard, LeaseStore, Place, StoredKey } from '../../src/registry/store.ts';
import { storedKey } from './builders.ts';

export interface FakeLeaseStore extends LeaseStore {
  readonly calls: string[];
  readonly keys: Map<string, StoredKey>;
  /** What the leases of others have left. */
  readonly othersMs: Map<string, number>;
  /** The lease runs out, and its keys go with it. */
  expire(leaseId: string): void;
  /** As an operator would, by hand. */
  put(key: string, value: string, leaseId?: string): void;
  remove(key: string): void;
  /** Awaited before each answer: a test may wait or throw there. */
  beforeAnswer: (call: string) => Promise<void>;
}

export function fakeLeaseStore(...stored: readonly StoredKey[]): FakeLeaseStore {
  const ttls = new Map<string, number>();
  const watchers = new Set<{ readonly places: readonly Place[]; readonly onChange: () => void }>();
  let revision = 10;
  let granted = 0;
  const answer = async (call: string, signal: AbortSignal) => {
    store.calls.push(call);
    await store.beforeAnswer(call);
    signal.throwIfAborted();
  };
  const rang = (key: string) => {
    for (const { places, onChange } of watchers) {
      if (places.some((place) => isAt(place, key))) onChange();
    }
  };
  const stands = (guard: Guard) => {
    const found = store.keys.get(guard.key);
    return 'leaseId' in guard
      ? found?.leaseId === guard.leaseId
      : (found?.modRevision ?? 0) === guard.modRevision;
  };
  const store: FakeLeaseStore = {
    calls: [],
    keys: new Map(stored.map((one) => [one.key, one])),
    othersMs: new Map(),
    beforeAnswer: async () => {},

    expire: (leaseId) => {
      ttls.delete(leaseId);
      store.othersMs.delete(leaseId);
      for (const { key, leaseId: its } of store.keys.values())
        if (its === leaseId) store.remove(key);
    },
    put: (key, value, leaseId = '0') => {
      revision += 1;
      store.keys.set(key, storedKey(key, value, { leaseId, modRevision: revision }));
      rang(key);
    },
    remove: (key) => {
      revision += 1;
      store.keys.delete(key);
      rang(key);
    },

    grantLease: async (ttlMs, signal) => {
      await answer('grant', signal);
      granted += 1;
      const leaseId = `lease-${granted}`;
      ttls.set(leaseId, ttlMs);
      return { leaseId, ttlMs };
    },
    renewLease: async (leaseId, signal) => {
      await answer(`renew ${leaseId}`, signal);
      return ttls.get(leaseId) ?? 0;
    },
    revokeLease: async (leaseId, signal) => {
      await answer(`revoke ${leaseId}`, signal);
      store.expire(leaseId);
    },
    leaseRemainingMs: async (leaseId, signal) => {
      await answer(`remaining ${leaseId}`, signal);
      return store.othersMs.get(leaseId) ?? ttls.get(leaseId) ?? 0;
    },
    readKeys: async (keys, signal) => {
      await answer('read', signal);
      return keys.map((key) => store.keys.get(key));
    },
    readMoment: async (keys, below, limit, signal) => {
      await answer('read moment', signal);
      const all = [...store.keys.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
      return {
        ...{ clusterId: 'cluster', revision },
        keys: keys.map((key) => store.keys.get(key)),
        below: all.filter(({ key }) => isAt({ below }, key)).slice(0, limit),
      };
    },
    change: async (guards, writes, signal) => {
      const words = writes.map((write) =>
        write.kind === 'put' ? `put ${write.key} under ${write.leaseId}` : `delete ${write.key}`,
      );
      await answer(words.join(', '), signal);
      if (!guards.every(stands)) return undefined;
      for (const write of writes) {
        if (write.kind === 'delete') store.remove(write.key);
        else if (write.leaseId !== '0' && !ttls.has(write.leaseId))
          throw new Error('etcdserver: requested lease not found');
        else store.put(write.key, write.value, write.leaseId);
      }
      return revision;
    },
    watchPlaces: (places, onChange, signal) =>
      new Promise<never>((_, reject) => {
        const watcher = { places, onChange };
        watchers.add(watcher);
        signal.addEventListener('abort', () => {
          watchers.delete(watcher);
          reject(new Error('over'));
        });
      }),
  };
  return store;
}

const isAt = (place: Place, key: string) =>
  'key' in place ? place.key === key : key.startsWith(`${place.below}/`);
