import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { probeOptions, probeTarget } from '../../src/options/probe-options.ts';

const spec = { name: 'watchdog', summary: '', options: probeOptions };
const target = (flags: readonly string[] = [], environment = {}) =>
  probeTarget(
    { ...parseCommandLine(spec, flags, environment), timeout: 1000 },
    '172.17.8.101:8001',
  );
const words = (line: string) => line.split(' ').filter(Boolean);

test('by default: GET / at the address, 2xx and 3xx pass, the connection is kept', () => {
  expect(target()).toEqual({
    ...{ kind: 'http', url: 'http://172.17.8.101:8001/', method: 'GET', timeoutMs: 1000 },
    ...{ keepIdle: true, statuses: [{ from: 200, to: 399 }], headers: [], host: undefined },
    ...{ body: undefined, bodyLimitBytes: 65_536, redirects: 0, tls: undefined },
  });
});

test('everything given', () => {
  const flags = [
    ...words('--probe https://127.0.0.1:8443/health?deep --probe-method OPTIONS --death-watch off'),
    ...words(
      '--probe-status 200,204,300-399 --probe-host www.example.org:8443 --probe-body-limit 1MiB',
    ),
    ...['--probe-header', 'Accept: text/html', '--probe-header', 'X-Empty:', '--probe-body', 'a b'],
    ...words('--probe-redirects 10 --probe-server-name www.example.org'),
  ];
  expect(target(flags)).toMatchObject({
    ...{ kind: 'http', url: 'https://127.0.0.1:8443/health?deep', method: 'OPTIONS' },
    ...{
      keepIdle: false,
      host: 'www.example.org:8443',
      bodyLimitBytes: 1024 * 1024,
      redirects: 10,
    },
    statuses: [
      { from: 200, to: 200 },
      { from: 204, to: 204 },
      { from: 300, to: 399 },
    ],
    headers: ['Accept', 'text/html', 'X-Empty', ''],
    body: { words: 'contain "a b"' },
    tls: { ca: undefined, client: undefined, serverName: 'www.example.org', insecure: false },
  });
});

test.each(['www.example.org', 'a:1', '[::1]', '[2001:db8::1]:65535'])(
  'as Host %s is accepted',
  (host) => {
    expect(target(['--probe-host', host])).toMatchObject({ host });
  },
);

test('a redirect may lead to https://, and what is said on TLS is for there', () => {
  expect(target(words('--probe-redirects 1 --probe-insecure'))).toMatchObject({
    ...{ url: 'http://172.17.8.101:8001/', tls: { insecure: true } },
  });
});

test('headers in the environment stand one a line', () => {
  expect(target([], { ROLLCALL_PROBE_HEADER: 'A: b\nC: d' })).toMatchObject({
    headers: ['A', 'b', 'C', 'd'],
  });
});

test.each([
  ['tcp://127.0.0.1:8001', '127.0.0.1', 8001],
  ['TCP://[::1]:80', '::1', 80],
  ['tcp://web1:65535', 'web1', 65_535],
])('%s only connects', (probe, host, port) => {
  expect(target(['--probe', probe])).toEqual({
    ...{ kind: 'tcp', host, port, timeoutMs: 1000, keepIdle: true },
  });
});

describe('refused, with what is accepted instead', () => {
  const ofUrl = 'an http:// or https:// URL, such as http://127.0.0.1:8001/, or tcp://HOST:PORT';
  const ofTcp = 'tcp://HOST:PORT, such as tcp://127.0.0.1:8001';
  const ofStatus = 'status codes and ranges from 200 to 599, such as 200,204,300-399';
  const ofHeader = 'NAME: VALUE in printable ASCII, such as "Accept: text/html"';
  const ofBytes = 'a whole number and its unit, from 1B to 1MiB, such as 64KiB';

  test.each([
    ['--probe', 'ftp://127.0.0.1/', ofUrl],
    ['--probe', 'http://127.0.0.1:0/', 'a URL with a port from 1 to 65535, or tcp://HOST:PORT'],
    ['--probe', 'tcp://127.0.0.1', ofTcp],
    ['--probe', 'tcp://127.0.0.1:0', ofTcp],
    ['--probe', 'tcp://127.0.0.1:80/', ofTcp],
    ['--probe', 'tcp://::1:80', ofTcp],
    ['--probe-method', 'get', 'one of GET, HEAD, OPTIONS'],
    ['--probe-method', 'DELETE', 'one of GET, HEAD, OPTIONS'],
    ['--probe-status', '2xx', ofStatus],
    ['--probe-status', '100', ofStatus],
    ['--probe-status', '200-', ofStatus],
    ['--probe-status', '399-200', ofStatus],
    ['--probe-status', '200,,204', ofStatus],
    ['--probe-status', '200-600', ofStatus],
    ['--probe-header', 'Accept', ofHeader],
    ['--probe-header', 'A b: c', ofHeader],
    ['--probe-header', 'A: b\r\nC: d', ofHeader],
    ['--probe-header', 'A: b\nC', ofHeader],
    ['--probe-header', 'A: b\u0000', ofHeader],
    ['--probe-header', 'A: é', ofHeader],
    ['--probe-header', 'hOST: a', 'another than Host: give --probe-host'],
    ['--probe-header', 'Connection: close', 'another than Connection'],
    ['--probe-header', 'Transfer-Encoding: chunked', 'another than Transfer-Encoding'],
    ['--probe-header', 'Content-Length: 0', 'another than Content-Length'],
    ['--probe-host', 'a b', 'HOST or HOST:PORT, such as www.example.org'],
    ['--probe-host', 'http://a/', 'HOST or HOST:PORT'],
    ['--probe-host', 'a:0', 'HOST or HOST:PORT'],
    ['--probe-host', 'a:65536', 'HOST or HOST:PORT'],
    ['--probe-host', '[::1', 'HOST or HOST:PORT'],
    ['--probe-host', '[1:2]', 'HOST or HOST:PORT'],
    ['--probe-host', '[fe80::1%lo]', 'HOST or HOST:PORT'],
    ['--probe-body-regex', '(', "a regular expression in RE2's syntax (missing closing ): `(`)"],
    ['--probe-body-regex', '(?=a)', "RE2's syntax (invalid or unsupported Perl syntax: `(?=`)"],
    ['--probe-body-limit', '1000', ofBytes],
    ['--probe-body-limit', '0B', ofBytes],
    ['--probe-body-limit', '2MiB', ofBytes],
    ['--probe-body-limit', '64kb', ofBytes],
    ['--probe-redirects', '11', 'a whole number between 0 and 10'],
    ['--probe-server-name', '127.0.0.1', 'a host name, such as www.example.org'],
    ['--death-watch', 'true', 'one of on, off'],
    ['--probe-ca', '/nowhere/ca.pem', 'ENOENT: no such file or directory'],
  ])('%s %j: %s', (flag, text, accepted) => {
    expect(() => target([flag, text])).toThrow(UsageError);
    expect(() => target([flag, text])).toThrow(
      `${flag}: ${JSON.stringify(flag === '--probe-header' ? nameOnly(text) : text)} is not accepted: `,
    );
    expect(() => target([flag, text])).toThrow(accepted);
  });
});

/** What a header says may be a password. */
const nameOnly = (header: string) => header.replaceAll(/:.*$/gm, ': ...');

describe('contradictions', () => {
  const https = '--probe https://127.0.0.1/';
  const tcp = '--probe tcp://127.0.0.1:80';

  test.each([
    ['--probe-body a --probe-body-regex b', '--probe-body and --probe-body-regex contradict'],
    ['--probe-body a --probe-method HEAD', '--probe-body and --probe-method HEAD contradict'],
    ['--probe-body-regex a --probe-method HEAD', '--probe-body-regex and --probe-method HEAD'],
    ['--probe-body-limit 1B --probe-method HEAD', '--probe-body-limit and --probe-method HEAD'],
    [
      '--probe-body-regex (ab?){1,1000}c',
      '--probe-body-regex is too large for bodies of 65536 bytes, it might take long: give --probe-body-limit 666B',
    ],
    [
      '--probe-insecure',
      '--probe-insecure is of no use, since --probe http://172.17.8.101:8001/ is',
    ],
    ['--probe-server-name a', '--probe-server-name is of no use, since --probe http://'],
    ['--probe-redirects 0 --probe-insecure', '--probe-insecure is of no use'],
    ['--probe http://a/?b --probe-insecure', 'since --probe http://a/?... is without TLS'],
    [
      `${tcp} --probe-method GET`,
      '--probe-method is of no use, since --probe tcp://127.0.0.1:80 only',
    ],
    [`${tcp} --probe-status 200-399`, '--probe-status is of no use, since --probe tcp://'],
    [`${tcp} --probe-header A:b`, '--probe-header is of no use'],
    [`${tcp} --probe-host a`, '--probe-host is of no use'],
    [`${tcp} --probe-body a`, '--probe-body is of no use'],
    [`${tcp} --probe-body-regex a`, '--probe-body-regex is of no use'],
    [`${tcp} --probe-body-limit 1B`, '--probe-body-limit is of no use'],
    [`${tcp} --probe-redirects 0`, '--probe-redirects is of no use'],
    [`${tcp} --probe-insecure`, '--probe-insecure is of no use'],
    [`${https} --probe-insecure --probe-server-name a`, '--probe-insecure and --probe-server-name'],
  ])('%s', (flags, says) => {
    expect(() => target(words(flags))).toThrow(UsageError);
    expect(() => target(words(flags))).toThrow(says);
  });

  test('what is proposed is accepted', () => {
    const flags = ['--probe-body-regex', '(ab?){1,1000}c', '--probe-body-limit'];
    const propose = () => target(flags.slice(0, 2));
    const limit = / give (--probe-body-limit (\d+B))/.exec(String(thrownBy(propose)))?.[2] ?? '';
    expect(target([...flags, limit])).toMatchObject({ kind: 'http' });
  });
});

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
