import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { newClient } from '../../../src/registry/etcd/client.ts';
import { EtcdFault } from '../../../src/registry/etcd/faults.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { makeWeakCertificate } from '../../support/weak-certificate.ts';

test('certificates that no connection can be made with are a fault in words', async () => {
  await using directory = await temporaryDirectory();
  const weak = await makeWeakCertificate(directory.path);
  const [cert, key] = await Promise.all([readFile(weak.cert), readFile(weak.key)]);
  const credentials = { cert, key, validity: [] };
  const url = 'https://127.0.0.1:1';
  const make = () => newClient({ url, credentials, serverName: undefined });
  expect(make).toThrow(EtcdFault);
  expect(make).toThrow(
    `etcd at ${url}: no connection can be made with these certificates: ee key too small`,
  );
});
