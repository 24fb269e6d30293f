/**
 * Writes to etcd as others do while something else is cut off from it: patient, and each change is
 * made once, as long as etcd answers at all. Every write tells its revision.
 */
import { systemClock } from '../../src/lib/clock.ts';
import { type CallTimes, EtcdEndpoints } from '../../src/registry/etcd/endpoints.ts';
import { etcdKeys } from '../../src/registry/etcd/keys.ts';
import { unhurried } from './etcd-stores.ts';

const patient: CallTimes = { tryMs: 10_000, budgetMs: 20_000 };

/** Undefined as the value: the key is deleted. */
export type Change = readonly [key: string, value: string | undefined];

export interface EtcdWriter extends AsyncDisposable {
  /** All at one revision, which is the answer. A key at most once. */
  readonly write: (...changes: readonly Change[]) => Promise<number>;
  /** Puts away all that was before now; the keys stay as they are. The answer: when that was. */
  readonly compact: () => Promise<number>;
  /** Key to value of what is below the prefix. */
  readonly list: (prefix: string) => Promise<Readonly<Record<string, string>>>;
}

export function openEtcdWriter(urls: readonly string[], times = patient): EtcdWriter {
  const endpoints = new EtcdEndpoints(urls, systemClock, () => 0);
  const keys = etcdKeys(endpoints, systemClock);
  const call: EtcdEndpoints['call'] = (...all) => endpoints.call(...all);
  let revision = 0;
  return {
    write: async (...changes) => {
      const success = changes.map(([name, value]) => {
        const key = Buffer.from(name);
        return value === undefined
          ? { request_delete_range: { key } }
          : { request_put: { key, value: Buffer.from(value) } };
      });
      const { header } = await call(
        { what: 'write' },
        times,
        ({ kv }, options) => kv.txn({ success }, options),
        unhurried,
      );
      return Number(header.revision);
    },
    compact: async () => {
      await call(
        { what: 'compact' },
        times,
        async ({ kv }, options) => {
          // What was compacted cannot be again: a revision of its own.
          const { header } = await kv.put({ key: Buffer.from('compacted') }, options);
          await kv.compact({ revision: header.revision, physical: true }, options);
          revision = Number(header.revision);
        },
        unhurried,
      );
      return revision;
    },
    list: async (prefix) => {
      const listing = await keys.list(prefix, unhurried);
      return Object.fromEntries(listing.keys.map(({ key, value }) => [key, value]));
    },
    [Symbol.asyncDispose]: () => endpoints[Symbol.asyncDispose](),
  };
}
