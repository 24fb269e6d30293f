import { randomUUID } from 'node:crypto';
import { Etcd3 } from 'etcd3';
import { expect, inject, test } from 'vitest';

test('the shared etcd keeps what is put into it, under a prefix of one test', async () => {
  using cleanup = new DisposableStack();
  const client = cleanup.adopt(new Etcd3({ hosts: inject('etcdUrl') }), (open) => open.close());
  const prefix = `/${randomUUID()}/`;

  await client.put(`${prefix}apache-8001`).value('127.0.0.1:8001');

  expect(await client.getAll().prefix(prefix).strings()).toEqual({
    [`${prefix}apache-8001`]: '127.0.0.1:8001',
  });
});
