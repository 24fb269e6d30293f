import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { etcdAccess, etcdOptions } from '../../src/options/etcd-options.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { makeTls, type TestTls } from '../support/tls.ts';
import { makeWeakCertificate } from '../support/weak-certificate.ts';

const spec = { name: 'balancer', summary: '', options: etcdOptions };
const given = async (...flags: readonly string[]) =>
  await etcdAccess(parseCommandLine(spec, flags, {}));
const refused = async (...flags: readonly string[]) => {
  const error = await given(...flags).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  return (error as UsageError).message;
};

const secure = ['--etcd', 'https://127.0.0.1:2379'];
let tls: TestTls;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
const holding = async (name: string, content: string) => {
  const path = join(directory.path, name);
  await writeFile(path, content);
  return path;
};

beforeAll(async () => {
  tls = await makeTls();
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await tls[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

test('without any of them there is nothing to show and nobody to be', async () => {
  expect((await given()).credentials).toEqual({ validity: [] });
});

test('what the files hold is read, one line break at the end forgiven', async () => {
  const user = await holding('user', 'sidecar\n');
  const password = await holding('password', 'pass word \r\n');
  const { credentials, serverName } = await given(
    ...[...secure, '--etcd-ca', tls.ca.cert, '--etcd-server-name', 'etcd.example.org'],
    ...['--etcd-cert', tls.client.cert, '--etcd-key', tls.client.key],
    ...['--etcd-user-file', user, '--etcd-password-file', password],
  );
  expect(serverName).toBe('etcd.example.org');
  expect(credentials.login).toEqual({ user: 'sidecar', password: 'pass word ' });
  expect(credentials.validity.map(({ file }) => file)).toEqual([tls.ca.cert, tls.client.cert]);
});

test('TLS options with http:// endpoints contradict each other', async () => {
  expect(await refused('--etcd-ca', '/etc/ca.pem')).toBe(
    '--etcd-ca /etc/ca.pem is for https:// endpoints, and --etcd names http://127.0.0.1:2379: ' +
      'write https:// or leave out --etcd-ca',
  );
  expect(await refused('--etcd-server-name', 'etcd')).toMatch(
    /^--etcd-server-name etcd is for https/,
  );
});

test.each([
  ['--etcd-cert', '--etcd-key'],
  ['--etcd-key', '--etcd-cert'],
  ['--etcd-user-file', '--etcd-password-file'],
  ['--etcd-password-file', '--etcd-user-file'],
])('%s without %s is refused', async (one, other) => {
  expect(await refused(...secure, one, '/x')).toBe(
    `${one} /x needs ${other} FILE beside it: give both or none`,
  );
});

test.each([
  ['--etcd', 'https://127.0.0.1:0', 'a port between 1 and 65535'],
  ['--etcd', 'https://127.0.0.1:2379,https://127.0.0.1:0', 'a port between 1 and 65535'],
  ['--etcd-ca', 'ca.pem', 'an absolute path'],
  ['--etcd-server-name', '10.0.0.1', 'a DNS name, such as etcd.example.org'],
  ['--etcd-server-name', 'a..b', 'a DNS name'],
  ['--etcd-server-name', 'https://etcd', 'a DNS name'],
])('%s %s is refused: %s', async (flag, text, accepted) => {
  expect(await refused(...secure, flag, text)).toContain(
    `${flag}: "${text}" is not accepted: ${accepted}`,
  );
});

test('a file that cannot be used is refused by its option, its path and the reason', async () => {
  const none = join(directory.path, 'none');
  const empty = await holding('empty', '');
  const blank = await holding('blank', '\n');
  const prose = await holding('prose', 'not PEM\n');
  const torn = await holding(
    'torn',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
  );
  const twoLines = await holding('two', 'a\nb\n');
  const large = await holding('large', 'x'.repeat(1024 * 1024));
  const user = await holding('name', 'sidecar');
  const weak = await makeWeakCertificate(directory.path);
  const cert = ['--etcd-cert', tls.client.cert];
  const named = ['--etcd-user-file', user];
  for (const [flags, line] of [
    [
      ['--etcd-ca', none],
      `--etcd-ca ${none}: it cannot be read: ENOENT: no such file or directory`,
    ],
    // A file that holds more than its size says, as one that is being written does.
    [['--etcd-ca', '/proc/self/status'], '--etcd-ca /proc/self/status: it is not as long as its'],
    [['--etcd-ca', '/dev/zero'], '--etcd-ca /dev/zero: it is not a file'],
    [['--etcd-ca', directory.path], `--etcd-ca ${directory.path}: it is not a file`],
    [['--etcd-ca', empty], `--etcd-ca ${empty}: it is empty`],
    [['--etcd-ca', large], `--etcd-ca ${large}: it is larger than 1 MiB`],
    [['--etcd-ca', prose], `--etcd-ca ${prose}: it does not hold a PEM certificate: there is none`],
    [['--etcd-ca', torn], `--etcd-ca ${torn}: it does not hold a PEM certificate: `],
    [[...cert, '--etcd-key', prose], `--etcd-key ${prose}: it does not hold a PEM private key: `],
    [
      [...cert, '--etcd-key', tls.server.key],
      `--etcd-key ${tls.server.key}: it is not the key of the certificate in ${tls.client.cert}`,
    ],
    [
      ['--etcd-cert', weak.cert, '--etcd-key', weak.key],
      `--etcd-cert ${weak.cert}: it cannot be used: ee key too small`,
    ],
    [[...named, '--etcd-password-file', blank], `--etcd-password-file ${blank}: it is empty`],
    [
      [...named, '--etcd-password-file', twoLines],
      `--etcd-password-file ${twoLines}: it holds more than one line`,
    ],
  ] as const) {
    const message = await refused(...secure, ...flags);
    expect(message).toContain(line);
    expect(message).not.toContain('\n');
  }
});
