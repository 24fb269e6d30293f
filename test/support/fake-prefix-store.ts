/**
 * A prefix in memory, written by the test as etcd is written by others. What goes wrong with etcd is
 * a word here: `deaf` loses events, `away` refuses listings, `cut` ends the watch, `wipe` begins anew.
 */
import type {
  PrefixStore,
  StoredKey,
  StoreEvent,
  WatchHandlers,
} from '../../src/registry/store.ts';
import { storedKey } from './builders.ts';

export interface FakePrefixStore extends PrefixStore {
  /** "list" and "watch REVISION", in order. */
  readonly calls: string[];
  /** How many watches run. */
  readonly watches: number;
  deaf: boolean;
  away: boolean;
  put(key: string, value: string, leaseId?: string): void;
  delete(key: string): void;
  cut(reason: string): void;
  wipe(): void;
}

interface Watch {
  readonly prefix: string;
  readonly handlers: WatchHandlers;
  readonly end: (reason: unknown) => void;
}

export function fakePrefixStore(): FakePrefixStore {
  const keys = new Map<string, StoredKey>();
  const watches = new Set<Watch>();
  let revision = 1;
  let told: { readonly at: number; readonly event: StoreEvent }[] = [];
  const tell = (event: StoreEvent) => {
    if (store.deaf) return;
    told.push({ at: revision, event });
    for (const { prefix, handlers } of watches) {
      if (isBelow(prefix, event)) handlers.onEvents([event]);
    }
  };
  const store: FakePrefixStore = {
    calls: [],
    get watches() {
      return watches.size;
    },
    deaf: false,
    away: false,

    put: (key, value, leaseId = '0') => {
      revision += 1;
      const stored = storedKey(key, value, { modRevision: revision, leaseId });
      keys.set(key, stored);
      tell({ kind: 'put', stored });
    },
    delete: (key) => {
      revision += 1;
      keys.delete(key);
      tell({ kind: 'delete', key, modRevision: revision });
    },
    cut: (reason) => {
      for (const { end } of watches) end(new Error(reason));
    },
    wipe: () => {
      keys.clear();
      told = [];
      revision = 1;
    },

    list: async (prefix) => {
      store.calls.push('list');
      if (store.away) throw new Error('etcd is away');
      return {
        clusterId: 'one',
        revision,
        keys: [...keys.values()].filter(({ key }) => key.startsWith(`${prefix}/`)),
      };
    },
    watch: (prefix, fromRevision, handlers, signal) => {
      store.calls.push(`watch ${fromRevision}`);
      const { promise, reject } = Promise.withResolvers<never>();
      const watch = {
        ...{ prefix, handlers },
        end: (reason: unknown) => {
          watches.delete(watch);
          reject(reason);
        },
      };
      watches.add(watch);
      signal.addEventListener('abort', () => watch.end(signal.reason));
      handlers.onReady();
      const past = told
        .filter(({ at, event }) => at >= fromRevision && isBelow(prefix, event))
        .map(({ event }) => event);
      if (past.length > 0) handlers.onEvents(past);
      return promise;
    },
  };
  return store;
}

const isBelow = (prefix: string, event: StoreEvent) =>
  (event.kind === 'put' ? event.stored.key : event.key).startsWith(`${prefix}/`);
