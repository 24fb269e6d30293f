import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  absolutePath,
  backendAddress,
  backendKey,
  BadValue,
  choice,
  count,
  duration,
  endpoints,
  formatDuration,
  httpUrl,
  keyPrefix,
  socketAddress,
} from '../../src/options/values.ts';

/** Those of the texts that are not refused with a BadValue. */
const acceptedOf = (parse: (text: string) => unknown, ...texts: readonly string[]) =>
  texts.filter((text) => {
    try {
      parse(text);
      return true;
    } catch (error) {
      return !(error instanceof BadValue);
    }
  });

const anyDuration = duration({ minMs: 10, maxMs: 600_000 });

test.each([
  ['250ms', 250],
  ['1.5s', 1500],
  ['2m', 120_000],
  ['10ms', 10],
])('%s is %i ms', (text, ms) => {
  expect(anyDuration(text)).toBe(ms);
});

test('a duration needs its unit and its limits', () => {
  expect(
    acceptedOf(anyDuration, '', '5', '5 s', '-5s', '1e3ms', '5h', 's', '.5s', '9ms', '11m', '5s\n'),
  ).toEqual([]);
  expect(() => anyDuration('9ms')).toThrow('between 10ms and 10m');
  expect(
    acceptedOf(duration({ minMs: 0, maxMs: 10_000, wholeSeconds: true }), '2500ms', '1.5s'),
  ).toEqual([]);
});

test('what is formatted is read back as itself', () => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 600_000 }), (ms) => {
      expect(anyDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});

test('a count is a whole number within its limits', () => {
  expect(count(1, 100)('7')).toBe(7);
  expect(
    acceptedOf(count(1, 100), '', '0', '101', '1.5', '-1', '1e1', '0x5', ' 5', 'many'),
  ).toEqual([]);
});

test('a choice is one of its words', () => {
  expect(choice('debug', 'info')('info')).toBe('info');
  expect(() => choice('debug', 'info')('INFO')).toThrow('one of debug, info');
});

test('an http URL always has a path, and no secrets', () => {
  expect(httpUrl('http://127.0.0.1:8001')).toBe('http://127.0.0.1:8001/');
  expect(httpUrl('https://[::1]/health?full')).toBe('https://[::1]/health?full');
  expect(
    acceptedOf(httpUrl, '', '127.0.0.1:8001', 'ftp://127.0.0.1/', 'http://', 'http://u:p@host/'),
  ).toEqual([]);
});

test('endpoints keep their ports, the default ones of their schemes too', () => {
  expect(endpoints('http://10.0.0.1:2379, http://[::1]:2379/')).toEqual([
    'http://10.0.0.1:2379',
    'http://[::1]:2379',
  ]);
  expect(endpoints('http://etcd:80')).toEqual(['http://etcd:80']);
  expect(endpoints('https://etcd')).toEqual(['https://etcd:443']);
});

test('endpoints are URLs of one scheme, each once, with nothing after the port', () => {
  expect(
    acceptedOf(
      endpoints,
      ...['', 'etcd:2379', 'http://etcd:2379,', 'http://etcd:2379/v3', 'http://u:p@etcd:2379'],
      ...['http://a:1,https://b:2', 'http://a:1,http://a:1', 'http://a:1,http://A:1/'],
    ),
  ).toEqual([]);
});

test('an address and a key are those of the registry', () => {
  expect(backendAddress('[2001:DB8::1]:80')).toBe('[2001:db8::1]:80');
  expect(
    acceptedOf(backendAddress, '', 'localhost:80', '127.0.0.1:80\n127.0.0.1:81', '127.0.0.1'),
  ).toEqual([]);
  expect(backendKey('/test/apache-8001')).toBe('/test/apache-8001');
  expect(
    acceptedOf(backendKey, '', '/apache-8001', 'test/apache', '/test/', '/test/a b', '/te\nst/a'),
  ).toEqual([]);
});

test('a prefix may come with its closing slash and goes without', () => {
  expect(keyPrefix('/test')).toBe('/test');
  expect(keyPrefix('/a/b/')).toBe('/a/b');
  expect(acceptedOf(keyPrefix, '', '/', 'test', '//test', '/test//', '/te st', '/test/\n')).toEqual(
    [],
  );
});

test('an address of one’s own server is HOST:PORT', () => {
  expect(socketAddress('127.0.0.1:0')).toEqual({ host: '127.0.0.1', port: 0 });
  expect(socketAddress('[::1]:9100')).toEqual({ host: '::1', port: 9100 });
  expect(socketAddress('localhost:9100')).toEqual({ host: 'localhost', port: 9100 });
  expect(
    acceptedOf(socketAddress, '', '9100', ':9100', '::1:9100', '[x]:9100', 'host:65536', 'ho st:1'),
  ).toEqual([]);
});

test('a path is absolute and can stand in nginx.conf as it is', () => {
  expect(absolutePath('/etc/nginx/nginx.conf')).toBe('/etc/nginx/nginx.conf');
  expect(
    acceptedOf(
      absolutePath,
      '',
      'nginx.conf',
      './x',
      '/a b',
      '/a;b',
      '/a\nb',
      '/a{b',
      '/$a',
      '/"a',
    ),
  ).toEqual([]);
});
