/** Everything that happens to a key and to the record beside it, with the revision of each change. */
import { Etcd3, type IKeyValue, type Watcher } from 'etcd3';
import { type WatchdogRecord, parseRecord, recordKey } from '../../src/registry/record.ts';

export interface Change {
  readonly what: 'key' | 'record';
  readonly kind: 'put' | 'delete';
  readonly revision: number;
  readonly value: string;
}

export interface RecordWatch extends AsyncDisposable {
  readonly recordKey: string;
  readonly changes: readonly Change[];
  /** The record as it is now; undefined where there is none that can be read. */
  readonly record: () => Promise<WatchdogRecord | undefined>;
  readonly putRecord: (value: string) => Promise<void>;
}

export async function watchRecord(etcdUrl: string, key: string): Promise<RecordWatch> {
  await using stack = new AsyncDisposableStack();
  const client = stack.adopt(
    new Etcd3({ hosts: etcdUrl, defaultCallOptions: () => ({ deadline: Date.now() + 5000 }) }),
    (open) => open.close(),
  );
  const beside = recordKey('/rollcall', key);
  const changes: Change[] = [];
  for (const [what, name] of [
    ['key', key],
    ['record', beside],
  ] as const) {
    const tell = (kind: Change['kind']) => (kv: IKeyValue) =>
      changes.push({ what, kind, revision: Number(kv.mod_revision), value: kv.value.toString() });
    const watcher: Watcher = await client.watch().key(name).create();
    stack.defer(() => watcher.cancel());
    watcher.on('put', tell('put')).on('delete', tell('delete'));
  }
  const owned = stack.move();
  return {
    recordKey: beside,
    changes,
    record: async () => {
      const text = await client.get(beside).string();
      const parsed = text === null ? undefined : parseRecord(text);
      return parsed?.ok ? parsed.value : undefined;
    },
    putRecord: async (value) => void (await client.put(beside).value(value)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
