import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxPlainBytes, parseAddress, parseBackend, parseKey } from '../../src/registry/backend.ts';

test.each([
  ['127.0.0.1:8001', '127.0.0.1:8001'],
  ['127.0.0.1:8001\n', '127.0.0.1:8001'],
  ['127.0.0.1:8001\r\n', '127.0.0.1:8001'],
  ['10.0.0.1:65535', '10.0.0.1:65535'],
  ['[2001:db8::1]:8001', '[2001:db8::1]:8001'],
  ['[2001:0DB8:0::1]:8001', '[2001:db8::1]:8001'],
  ['[::ffff:10.0.0.1]:80', '[::ffff:a00:1]:80'],
])('%j is the address %s', (text, address) => {
  expect(parseAddress(text)).toMatchObject({ ok: true, value: { address } });
});

test.each([
  ['', 'empty'],
  ['\n', 'empty'],
  ['127.0.0.1', 'not IP:PORT'],
  ['127.0.0.1:', 'not IP:PORT'],
  [' 127.0.0.1:80', 'not IP:PORT'],
  ['127.0.0.1:80 backup', 'not IP:PORT'],
  ['127.0.0.1:80; include /etc/passwd', 'not IP:PORT'],
  ['127.0.0.1:80\n\n', 'not IP:PORT'],
  ['127.0.0.1:80\n127.0.0.1:81', 'not IP:PORT'],
  ['http://127.0.0.1:80/', 'not IP:PORT'],
  ['unix:/tmp/socket', 'not IP:PORT'],
  ['127.1:80', 'not IP:PORT'],
  ['127.0.0.01:80', 'not IP:PORT'],
  ['127.0.0.256:80', 'not IP:PORT'],
  ['127.0.0.1:0', 'port'],
  ['127.0.0.1:080', 'port'],
  ['127.0.0.1:65536', 'port'],
  ['127.0.0.1:８０', 'not IP:PORT'],
  ['0.0.0.0:80', 'no server can be reached'],
  ['0.1.2.3:80', 'no server can be reached'],
  ['224.0.0.1:80', 'no server can be reached'],
  ['255.255.255.255:80', 'no server can be reached'],
  ['[::]:80', 'no server can be reached'],
  ['[ff02::1]:80', 'no server can be reached'],
  ['[1:2]:80', 'not an IPv6 address'],
  ['[fe80::1%eth0]:80', 'not IP:PORT'],
  ['2001:db8::1', 'in brackets'],
  ['2001:db8::1:8001', 'in brackets'],
  ['apache.example.org:80', 'it is a name'],
  ['localhost:80', 'it is a name'],
  [`${'1'.repeat(maxPlainBytes)}:80`, 'longer than'],
])('%j is no address: %s', (text, reason) => {
  expect(parseAddress(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
});

/** Text that is nearly an address, so that every branch of the grammar is met. */
const nearlyAddress = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom(...'0189afAF.:[]%;{}$# \n\r\t"\\'.split('')), maxLength: 24 }),
  fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), fc.integer({ min: -1, max: 70_000 }))
    .map(([host, port]) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
);

test('whatever is accepted can be nothing but an address in nginx.conf, and stays itself', () => {
  let accepted = 0;
  fc.assert(
    fc.property(nearlyAddress, (text) => {
      const parsed = parseAddress(text);
      if (!parsed.ok) return;
      accepted += 1;
      expect(parsed.value.address).toMatch(/^[0-9A-Fa-f.:[\]]+$/);
      expect(parseAddress(parsed.value.address)).toEqual(parsed);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

test.each([
  ['/test/apache-8001', '/test', 'apache-8001'],
  ['/a/b.c/d_e', '/a/b.c', 'd_e'],
])('%s is a key below %s', (key, prefix, name) => {
  expect(parseKey(key)).toEqual({ ok: true, value: { prefix, name } });
});

test.each([
  ['test/apache', 'begin with /'],
  ['', 'outside any prefix'],
  ['/apache', 'outside any prefix'],
  ['/test/', 'a part is empty'],
  ['/test//apache', 'a part is empty'],
  ['/test/apache\n', 'characters other than'],
  ['/test/apache 1', 'characters other than'],
  ['/test/apáche', 'characters other than'],
  [`/test/${'a'.repeat(256)}`, 'longer than'],
])('%j is no key: %s', (key, reason) => {
  expect(parseKey(key)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
});

test('a backend is a key directly below the prefix with an address', () => {
  expect(parseBackend('/test', '/test/a', '127.0.0.1:8001\n', 15)).toEqual({
    ok: true,
    value: {
      ...{ key: '/test/a', name: 'a' },
      ...{ address: '127.0.0.1:8001', host: '127.0.0.1', port: 8001 },
      ...{ weight: 1, meta: {} },
    },
  });
});

test.each([
  ['/test/deeper/a', '127.0.0.1:8001', 14, 'key: it is not directly below /test/'],
  ['/other/a', '127.0.0.1:8001', 14, 'key: it is not directly below /test/'],
  ['/test/a b', '127.0.0.1:8001', 14, 'key: a part is empty or'],
  ['/test/a', 'x', 1, 'value: it is not IP:PORT'],
  ['/test/a', '127.0.0.1:8001', 1_048_576, 'value: 1048576 bytes'],
])('%s = %s of %i bytes is none: %s', (key, value, bytes, reason) => {
  const parsed = parseBackend('/test', key, value, bytes);
  expect(parsed).toEqual({ ok: false, reason: expect.stringContaining(reason) });
});
