/**
 * Keys below a prefix of one test, put and read by hand as `etcdctl` would; and the whole history
 * of the prefix, as etcd itself recorded it: what came and went again in between is in it.
 */
import { randomUUID } from 'node:crypto';
import { Etcd3, type IKeyValue } from 'etcd3';

const calledWithinMs = 5000;

export interface Happening {
  readonly kind: 'put' | 'delete';
  readonly name: string;
  readonly value: string;
}

export interface Keys extends Disposable {
  readonly prefix: string;
  /** A name, which may hold anything, to the key below the prefix. */
  readonly key: (name: string) => string;
  readonly put: (name: string, value: string | Buffer) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** Byte by byte, with its lease and its revisions; undefined where there is none. */
  readonly read: (name: string) => Promise<IKeyValue | undefined>;
  /** Everything that happened below the prefix since `openKeys`. */
  readonly history: () => Promise<readonly Happening[]>;
}

export async function openKeys(etcdUrl: string): Promise<Keys> {
  using stack = new DisposableStack();
  const client = stack.adopt(
    new Etcd3({
      hosts: etcdUrl,
      defaultCallOptions: () => ({ deadline: Date.now() + calledWithinMs }),
    }),
    (open) => open.close(),
  );
  const prefix = `/${randomUUID()}`;
  const key = (name: string) => `${prefix}/${name}`;
  const { header } = await client.get(key('')).exec();
  const put = async (name: string, value: string | Buffer) =>
    void (await client.put(key(name)).value(value));

  const owned = stack.move();
  return {
    prefix,
    key,
    put,
    remove: async (name) => void (await client.delete().key(key(name))),
    read: async (name) => (await client.get(key(name)).exec()).kvs[0],
    history: () => history(client, prefix, Number(header.revision) + 1),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** A key of its own marks the end: etcd tells what happened in the order in which it did. */
async function history(client: Etcd3, prefix: string, from: number): Promise<readonly Happening[]> {
  const end = `${prefix}/end-of-${randomUUID()}`;
  await client.put(end).value('');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const happenings: Happening[] = [];
  const watcher = client.watch().prefix(`${prefix}/`).startRevision(String(from)).watcher();
  const record = (kind: Happening['kind']) => (kv: IKeyValue) => {
    const key = kv.key.toString();
    if (key === end) resolve();
    else happenings.push({ kind, name: key.slice(prefix.length + 1), value: kv.value.toString() });
  };
  watcher.on('put', record('put')).on('delete', record('delete')).on('error', reject);
  const overdue = setTimeout(() => reject(new Error('etcd did not tell all')), calledWithinMs);
  try {
    await promise;
  } finally {
    clearTimeout(overdue);
    await watcher.cancel();
  }
  await client.delete().key(end);
  return happenings;
}
