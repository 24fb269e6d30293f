/** The options of the probe that name files: what is in them, and what is refused. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { probeOptions, probeTarget } from '../../src/options/probe-options.ts';
import { makeTls, type TestTls } from '../support/tls.ts';

const spec = { name: 'watchdog', summary: '', options: probeOptions };
const target = (flags: readonly string[] = []) =>
  probeTarget({ ...parseCommandLine(spec, flags, {}), timeout: 1000 }, '172.17.8.101:8001');
const given =
  (...flags: readonly string[]) =>
  () =>
    target(['--probe', 'https://127.0.0.1/', ...flags]);

let tls: TestTls;
beforeAll(async () => {
  tls = await makeTls();
  await writeFile(join(tls.path, 'empty'), '');
  await writeFile(
    join(tls.path, 'broken.pem'),
    '-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n',
  );
  await mkdir(join(tls.path, 'directory'));
});
afterAll(() => tls[Symbol.asyncDispose]());

test('what is in the files is read at the start', () => {
  const { ca, client } = tls;
  const flags = ['--probe-ca', ca.cert, '--probe-cert', client.cert, '--probe-key', client.key];
  expect(given(...flags)()).toMatchObject({
    tls: {
      ca: expect.stringContaining('BEGIN CERTIFICATE'),
      client: {
        cert: expect.stringContaining('BEGIN CERTIFICATE'),
        key: expect.stringContaining('PRIVATE KEY'),
      },
      insecure: false,
    },
  });
});

test('a certificate that has expired is a matter of the probes', () => {
  const { cert, key } = tls.expired;
  expect(given('--probe-cert', cert, '--probe-key', key)()).toMatchObject({ kind: 'http' });
});

test('one that OpenSSL reads and will not use is refused at the start', async () => {
  const [cert, key] = [join(tls.path, 'weak.pem'), join(tls.path, 'weak-key.pem')];
  const request = ['req', '-x509', '-subj', '/CN=weak', '-days', '2', '-nodes'];
  const files = ['-newkey', 'rsa:1024', '-keyout', key, '-out', cert];
  await promisify(execFile)('openssl', [...request, ...files]);
  const both = given('--probe-cert', cert, '--probe-key', key);
  expect(both).toThrow(UsageError);
  expect(both).toThrow(`--probe-cert ${cert} cannot be used: ee key too small: give another`);
});

test.each([
  ['--probe-ca', 'empty', 'a file with certificates in PEM (there is none in it)'],
  ['--probe-ca', 'ca-key.pem', 'a file with certificates in PEM (there is none in it)'],
  ['--probe-ca', 'broken.pem', 'a file with certificates in PEM ('],
  ['--probe-ca', 'directory', 'a file with certificates in PEM (no regular file'],
  ['--probe-cert', 'empty', 'a file with certificates in PEM (there is none in it)'],
  ['--probe-key', 'empty', 'a file with a private key in PEM, without a passphrase ('],
  ['--probe-key', 'client.pem', 'a file with a private key in PEM, without a passphrase ('],
])('%s %s: %s', (flag, name, accepted) => {
  expect(() => target([flag, join(tls.path, name)])).toThrow(UsageError);
  expect(() => target([flag, join(tls.path, name)])).toThrow(accepted);
});

test('of certificates', () => {
  const { ca, client, server } = tls;
  expect(given('--probe-insecure', '--probe-ca', ca.cert)).toThrow(
    '--probe-insecure and --probe-ca contradict each other: give one',
  );
  expect(given('--probe-cert', client.cert)).toThrow(
    '--probe-cert is of no use without --probe-key: give both or none',
  );
  expect(given('--probe-key', client.key)).toThrow(
    '--probe-key is of no use without --probe-cert: give both or none',
  );
  expect(given('--probe-cert', client.cert, '--probe-key', server.key)).toThrow(
    `--probe-key ${server.key} is not the key of --probe-cert ${client.cert}`,
  );
  expect(() => target(['--probe-ca', ca.cert])).toThrow(
    '--probe-ca is of no use, since --probe http:',
  );
});
