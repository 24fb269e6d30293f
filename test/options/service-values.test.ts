import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { onlyService, services } from '../../src/options/service-values.ts';
import { BadValue } from '../../src/options/values.ts';

const plain = {
  ...{ balance: 'round-robin', keepalive: 32 },
  ...{ connectTimeoutMs: 2000, sendTimeoutMs: 60_000, readTimeoutMs: 60_000 },
};

test('every setting of one service', () => {
  const text =
    'api=/prod/api path=/api host=API.example.org,*.api.example.org,api.* balance=least-conn ' +
    'keepalive=0 connect-timeout=500ms send-timeout=10s read-timeout=5m';
  expect(services(text)).toEqual([
    {
      ...{ name: 'api', prefix: '/prod/api', path: '/api/' },
      hosts: ['api.example.org', '*.api.example.org', 'api.*'],
      ...{ balance: 'least-conn', keepalive: 0 },
      ...{ connectTimeoutMs: 500, sendTimeoutMs: 10_000, readTimeoutMs: 300_000 },
    },
  ]);
});

test('the first that says nothing serves every host, each later one its name', () => {
  expect(services('web=/test\napi=/api')).toEqual([
    { name: 'web', prefix: '/test', hosts: [], path: '/', ...plain },
    { name: 'api', prefix: '/api', hosts: ['api', 'api.*'], path: '/', ...plain },
  ]);
});

test('a host or a path is a place of its own, and leaves the default to the first without', () => {
  const places = services(
    'img=/img path=/img/\nWWW=/www host=www.example.org\nweb=/web\nShop=/shop',
  ).map(({ name, hosts, path }) => [name, hosts, path]);
  expect(places).toEqual([
    ['img', [], '/img/'],
    ['WWW', ['www.example.org'], '/'],
    ['web', [], '/'],
    ['Shop', ['shop', 'shop.*'], '/'],
  ]);
});

test('a prefix alone is one service, and blank lines are none', () => {
  expect(onlyService('/test')).toEqual({
    ...{ name: 'backend', prefix: '/test', hosts: [], path: '/', ...plain },
  });
  expect(services('\n  backend=/test/  \n\n')).toEqual([onlyService('/test')]);
});

test.each([
  ['', 'NAME=/PREFIX, such as api=/api'],
  ['api', 'NAME=/PREFIX first, such as api=/api, and not "api"'],
  ['path=/api api=/api x', 'service path: "api=/api" is none of host=, path=, balance='],
  ['=/api', 'the name "" is not accepted: 1 to 63 letters'],
  ['1api=/api', 'the name "1api" is not accepted'],
  [`${'a'.repeat(64)}=/api`, 'is not accepted: 1 to 63 letters'],
  ['a;b=/api', 'the name "a;b" is not accepted'],
  ['api=api', 'service api: the prefix "api" is not accepted: a path of letters'],
  ['api=/', 'service api: the prefix "/" is not accepted'],
  ['api=/a{b', 'the prefix "/a{b" is not accepted'],
  [`api=/${'a'.repeat(250)}`, 'at most 250 characters'],
  ['api=/api path', 'service api: "path" is none of host=, path=, balance=, keepalive=, connect-'],
  ['api=/api weight=3', 'service api: "weight=3" is none of host='],
  ['api=/api constructor=3', 'service api: "constructor=3" is none of'],
  ['api=/api path=/a path=/b', 'service api: path= is there twice: give it once'],
  ['api=/api path=api', 'service api: "path=api" is not accepted: a path of letters'],
  ['api=/api path=', 'service api: "path=" is not accepted'],
  ['api=/api path=/a//b', '"path=/a//b" is not accepted'],
  ['api=/api path=/a/../b', '"path=/a/../b" is not accepted'],
  ['api=/api path=/a/./b', '"path=/a/./b" is not accepted'],
  ['api=/api path=//', '"path=//" is not accepted'],
  ['api=/api path=/a;b', '"path=/a;b" is not accepted'],
  [`api=/api path=/${'a'.repeat(200)}`, 'of at most 200 characters'],
  ['api=/api host=', 'service api: "host=" is not accepted: host names with commas between'],
  ['api=/api host=a,', '"host=a," is not accepted'],
  ['api=/api host=a..b', '"host=a..b" is not accepted'],
  ['api=/api host=.a', '"host=.a" is not accepted'],
  ['api=/api host=-a', '"host=-a" is not accepted'],
  ['api=/api host=a.*.b', '"host=a.*.b" is not accepted'],
  ['api=/api host=*', '"host=*" is not accepted'],
  ['api=/api host=*.a.*', '"host=*.a.*" is not accepted'],
  ['api=/api host=~^a', '"host=~^a" is not accepted'],
  ['api=/api host=a:80', '"host=a:80" is not accepted'],
  [`api=/api host=${'a'.repeat(64)}.org`, 'is not accepted: host names'],
  ['api=/api host=a,A', 'each host once, and a is there twice'],
  ['api=/api balance=fair', 'service api: "balance=fair" is not accepted: one of round-robin'],
  ['api=/api keepalive=10001', 'a whole number between 0 and 10000'],
  ['api=/api keepalive=-1', 'service api: "keepalive=-1" is not accepted'],
  ['api=/api read-timeout=60', 'a number and its unit, such as 250ms, 5s or 1m'],
  ['api=/api read-timeout=0s', 'between 1ms and 60m'],
])('%j is refused: %s', (text, why) => {
  expect(() => services(text)).toThrow(BadValue);
  expect(() => services(text)).toThrow(why);
});

test.each([
  ['one name twice', 'web=/a\nWeb=/b', 'each name once, and Web is there twice: call one of them'],
  ['one prefix twice', 'a=/test\nb=/test/', 'services a and b both have the prefix /test: give'],
  [
    'a prefix below another',
    'web=/test\napi=/test/api',
    'the prefix /test/api of api lies below /test of web, whose keys are not nested: give prefixes ' +
      'side by side, such as /test and /api',
  ],
  ['the same the other way round', 'api=/test/api\nweb=/test', '/test/api of api lies below /test'],
  [
    'one path on every host',
    'a=/a path=/x\nb=/b path=/x/',
    'services a and b would both serve every host at /x/: give b a host= or a path= of its own, ' +
      'such as path=/b/',
  ],
  ['the default twice', 'a=/a\nb=/b path=/', 'a and b would both serve every host at /'],
  ['a host twice', 'a=/a host=x,y\nb=/b host=z,y', 'a and b would both serve y at /: give b'],
  ['a name and a host', 'a=/a\nb=/b\nc=/c host=b.*', 'b and c would both serve b.* at /'],
])('%s is refused', (_what, text, why) => {
  expect(() => services(text)).toThrow(BadValue);
  expect(() => services(text)).toThrow(why);
});

test('prefixes that only begin alike, and one host with several paths, are fine', () => {
  expect(services('a=/test\nb=/test2\nc=/tes')).toHaveLength(3);
  expect(services('a=/a host=x\nb=/b host=x path=/b\nc=/c host=y')).toHaveLength(3);
});

test('no text that is accepted can end a directive', () => {
  const pieces = fc.constantFrom(
    ...['a', 'B1', '=', '/', ' ', '\n', '\t', '.', '*.', ',', ';', '{', '}', '#', '$', '"', '\\'],
    ...['a=/a', 'b=/b ', ' host=', ' path=/', ' balance=hash', ' keepalive=1', '~', 'é', '\u0000'],
  );
  const texts = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''));
  let accepted = 0;
  fc.assert(
    fc.property(texts, (text) => {
      let given;
      try {
        given = services(text);
      } catch (error) {
        expect(error).toBeInstanceOf(BadValue);
        return;
      }
      accepted += 1;
      for (const { name, prefix, hosts, path } of given) {
        for (const word of [name, prefix, ...hosts, path]) {
          expect(word).toMatch(/^[\w./*~-]+$/);
        }
      }
    }),
    { numRuns: 5000 },
  );
  expect(accepted).toBeGreaterThan(50);
});

test('what is refused is shown on one line', () => {
  const evil = 'api=/api path=\u001b[31m\u202e;\u0085';
  expect(() => services(evil)).toThrow(/^\P{C}*$/u);
});

const lines = (count: number) =>
  Array.from({ length: count }, (_, n) => `s${n}=/p${n} path=/p${n}/`).join('\n');

test('so many that etcd would not take their acknowledgements at once are refused', () => {
  expect(services(lines(64))).toHaveLength(64);
  expect(() => services(lines(65))).toThrow('at most 64 services');
});
