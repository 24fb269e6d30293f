/** The balancer's side of the store on a real etcd: a prefix, listed and watched. */
import type { IKeyValue, IWatchResponse } from 'etcd3';
import type { Clock } from '../../lib/clock.ts';
import type { CallTimes, EtcdEndpoints } from './endpoints.ts';
import { watchUntilItEnds } from './watch.ts';
import type { Listing, PrefixStore, StoredKey, StoreEvent } from '../store.ts';

/**
 * Keys per answer: one range of a large prefix would not fit in one message. Fewer pages cost less
 * CPU and time; longer ones hold everything else up for longer.
 */
const pageKeys = 500;

/** A page takes longer than a single key. */
const pageCall: CallTimes = { tryMs: 2000, budgetMs: 4000 };

/** Of a value, what is kept: a longer one is set aside by its length alone. */
const keptValueBytes = 4096;

export function storedKey({ key, value, mod_revision, lease }: IKeyValue): StoredKey {
  return {
    key: key.toString(),
    value: value.subarray(0, keptValueBytes).toString(),
    valueBytes: value.length,
    modRevision: Number(mod_revision),
    leaseId: lease,
  };
}

export function etcdKeys(endpoints: EtcdEndpoints, clock: Clock): PrefixStore {
  return {
    list: async (prefix, signal) => {
      const task = { what: 'etcd list', needs: `read ${prefix}/` };
      const keys: StoredKey[] = [];
      const { key: firstKey, range_end } = rangeOf(prefix);
      let key = firstKey;
      let first: Listing | undefined;
      let limit = pageKeys;
      for (;;) {
        const range = { key, range_end, limit, ...(first && { revision: String(first.revision) }) };
        const page = await endpoints
          .call(task, pageCall, ({ kv }, options) => kv.range(range, options), signal)
          .catch((error: unknown) => {
            if (limit === 1 || !isTooLarge(error)) throw error;
            return undefined;
          });
        if (!page) {
          limit = Math.ceil(limit / 8);
          continue;
        }
        const { cluster_id: clusterId, revision } = page.header;
        // The rest is read at the revision of the first page, so that the whole is one moment.
        first ??= { clusterId, revision: Number(revision), keys };
        keys.push(...page.kvs.map(storedKey));
        const last = page.kvs.at(-1);
        if (!page.more || !last) return first;
        key = Buffer.concat([last.key, Buffer.from([0])]);
      }
    },

    watch: (prefix, fromRevision, { onReady, onEvents }, signal) =>
      watchUntilItEnds(
        endpoints,
        {
          task: { what: 'etcd watch', needs: `read ${prefix}/` },
          requests: [
            {
              ...rangeOf(prefix),
              start_revision: String(fromRevision),
              // What happened since the listing may be more than fits in one message.
              fragment: true,
            },
          ],
          onReady,
          onEvents: (events) => onEvents(events.map(storeEvent)),
        },
        clock,
        signal,
      ),
  };
}

/** Huge values that somebody put below the prefix must not hide the backends beside them. */
const isTooLarge = (error: unknown) =>
  error instanceof Error && /larger than max/.test(error.message);

function storeEvent({ type, kv }: IWatchResponse['events'][number]): StoreEvent {
  return type === 'Delete'
    ? { kind: 'delete', key: kv.key.toString(), modRevision: Number(kv.mod_revision) }
    : { kind: 'put', stored: storedKey(kv) };
}

/** All keys below PREFIX/: "0" is the character after "/". */
export const rangeOf = (prefix: string) => ({
  key: Buffer.from(`${prefix}/`),
  range_end: Buffer.from(`${prefix}0`),
});
