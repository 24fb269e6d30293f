/** The balancer's side of the store on a real etcd: a prefix, listed and watched. */
import type { Etcd3, IKeyValue, IWatchResponse } from 'etcd3';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/errors.ts';
import { type CallTimes, type EtcdEndpoints } from './etcd-endpoints.ts';
import type { Listing, PrefixStore, StoredKey, StoreEvent, WatchHandlers } from './store.ts';

/** Keys per answer: one range of a large prefix would not fit in one message. */
const pageKeys = 500;

/** A page takes longer than a single key. */
const pageCall: CallTimes = { tryMs: 2000, budgetMs: 4000 };

/** etcd confirms a watch at once; a watch that stays silent for this long is dead. */
const watchReadyMs = 2000;

/** Of a value, what is kept: a longer one is set aside by its length alone. */
const keptValueBytes = 256;

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
      const keys: StoredKey[] = [];
      const { key: firstKey, range_end } = rangeOf(prefix);
      let key = firstKey;
      let first: Listing | undefined;
      let limit = pageKeys;
      for (;;) {
        const range = { key, range_end, limit, ...(first && { revision: String(first.revision) }) };
        const page = await endpoints
          .call('etcd list', pageCall, ({ kv }, options) => kv.range(range, options), signal)
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

    watch: async (prefix, fromRevision, handlers, signal) => {
      const client = endpoints.open();
      try {
        return await watchOnce(client, prefix, fromRevision, handlers, clock, signal);
      } catch (error) {
        if (!signal.aborted) endpoints.next();
        throw error;
      } finally {
        endpoints.close(client);
      }
    },
  };
}

/** Huge values that somebody put below the prefix must not hide the backends beside them. */
const isTooLarge = (error: unknown) =>
  error instanceof Error && /RESOURCE_EXHAUSTED.*larger than max/.test(error.message);

async function watchOnce(
  client: Etcd3,
  prefix: string,
  fromRevision: number,
  { onReady, onEvents }: WatchHandlers,
  clock: Clock,
  signal: AbortSignal,
): Promise<never> {
  const failure = Promise.withResolvers<never>();
  const failed = (reason: string) => failure.reject(new CodedError('WATCH_ENDED', reason));
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  let ready = false;

  signal.addEventListener('abort', () => failure.reject(signal.reason), { signal: over.signal });
  void clock.sleep(watchReadyMs, stop).then(() => {
    if (!ready && !stop.aborted) failed(`etcd did not confirm the watch within ${watchReadyMs} ms`);
  });
  const opened = client.watchClient.watch().then((stream) => {
    stream.on('data', (response: IWatchResponse) => {
      if (over.signal.aborted) return;
      if (response.canceled)
        return failed(`etcd canceled the watch: ${response.cancel_reason || 'no reason given'}`);
      if (response.created) {
        ready = true;
        onReady();
      }
      if (response.events.length > 0) onEvents(response.events.map(storeEvent));
    });
    stream.on('error', (error) => failed(error.message));
    stream.on('end', () => failed('etcd ended the watch'));
    if (over.signal.aborted) stream.cancel();
    else
      stream.write({
        create_request: {
          ...rangeOf(prefix),
          start_revision: String(fromRevision),
          // What happened since the listing may be more than fits in one message.
          fragment: true,
        },
      });
    return stream;
  });
  opened.catch((error: unknown) => failure.reject(error));
  try {
    return await failure.promise;
  } finally {
    over.abort();
    void opened.then((stream) => stream.cancel()).catch(() => {});
  }
}

function storeEvent({ type, kv }: IWatchResponse['events'][number]): StoreEvent {
  return type === 'Delete'
    ? { kind: 'delete', key: kv.key.toString(), modRevision: Number(kv.mod_revision) }
    : { kind: 'put', stored: storedKey(kv) };
}

/** All keys below PREFIX/: "0" is the character after "/". */
const rangeOf = (prefix: string) => ({
  key: Buffer.from(`${prefix}/`),
  range_end: Buffer.from(`${prefix}0`),
});
