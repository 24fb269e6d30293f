/** The value with its metadata: what is written is read back, and what is read is nothing else. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRenderer } from '../../src/balancer/render/render.ts';
import { readTemplates } from '../../src/balancer/render/templates.ts';
import {
  formatValue,
  parseAddress,
  maxJsonBytes,
  parseBackend,
  parseValue,
} from '../../src/registry/backend.ts';
import { service } from '../support/builders.ts';

const address = '127.0.0.1:8001';
const read = (text: string, bytes = Buffer.byteLength(text)) => parseValue(text, bytes);

test('with neither weight nor metadata the value is the plain address', () => {
  expect(formatValue({ address })).toBe(address);
  expect(formatValue({ address, weight: undefined, meta: {} })).toBe(address);
});

test('with either it is JSON, the same text for the same parts', () => {
  expect(formatValue({ address, weight: 1 })).toBe('{"address":"127.0.0.1:8001","weight":1}');
  expect(formatValue({ meta: { zone: 'a', rack: '' }, weight: 5, address })).toBe(
    '{"address":"127.0.0.1:8001","weight":5,"meta":{"rack":"","zone":"a"}}',
  );
});

test.each([
  ['{"address":"127.0.0.1:8001"}', {}],
  [' \t\r\n{ "weight" : 7 ,\n "address" : "127.0.0.1:8001" }\n', { weight: 7 }],
  ['{"address":"127.0.0.1:8001\\n"}', {}],
  ['{"address":"127.0.0.1:8001","weight":1e3}', { weight: 1000 }],
  ['{"address":"127.0.0.1:8001","meta":{"b":"x:/@_.-","a":""}}', { meta: { a: '', b: 'x:/@_.-' } }],
  ['{"address":"127.0.0.1:8001","meta":{"constructor":"a"}}', { meta: { constructor: 'a' } }],
  ['{"address":"127.0.0.1:8001","drain":{"since":[1,[2]]},"__proto__":{"weight":9}}', {}],
  [String.raw`{"address":"127.0.0.1:8001","note":"\"address\":\\","x":"\\\\"}`, {}],
])('%j is a value', (text, rest) => {
  expect(read(text)).toEqual({
    ok: true,
    value: { address, host: '127.0.0.1', port: 8001, weight: 1, meta: {}, ...rest },
  });
});

const withWeight = (weight: string) => `{"address":"127.0.0.1:8001","weight":${weight}}`;
const withMeta = (meta: string) => `{"address":"127.0.0.1:8001","meta":${meta}}`;

test.each([
  ['{', 'not JSON'],
  ['{"address":"127.0.0.1:8001"} x', 'not JSON'],
  ["{'address':'127.0.0.1:8001'}", 'not JSON'],
  ['\uFEFF{"address":"127.0.0.1:8001"}', 'not IP:PORT'],
  ['\u00A0{"address":"127.0.0.1:8001"}', 'not IP:PORT'],
  ['[{"address":"127.0.0.1:8001"}]', 'not IP:PORT'],
  ['"127.0.0.1:8001"', 'not IP:PORT'],
  ['{}', 'without an "address"'],
  ['{"host":"127.0.0.1","port":80}', 'without an "address"'],
  ['{"address":["127.0.0.1:8001"]}', 'without an "address"'],
  ['{"__proto__":{"address":"127.0.0.1:8001"}}', 'without an "address"'],
  ['{"address":"localhost:8001"}', 'its "address": it is a name'],
  ['{"address":"127.0.0.1:80 weight=9"}', 'its "address": it is not IP:PORT'],
  ['{"address":"127.0.0.1:80","address":"127.0.0.1:81"}', 'twice'],
  [String.raw`{"address":"127.0.0.1:80","\u0061ddress":"127.0.0.1:81"}`, 'twice'],
  [withMeta('{"zone":"a","zone" :"b"}'), 'twice'],
  [withMeta('{"__proto__":"a","__proto__":"b"}'), 'twice'],
  [withWeight('"5"'), 'its "weight"'],
  [withWeight('0'), 'its "weight"'],
  [withWeight('-1'), 'its "weight"'],
  [withWeight('1.5'), 'its "weight"'],
  [withWeight('1001'), 'its "weight"'],
  [withWeight('1e999'), 'its "weight"'],
  [withWeight('null'), 'its "weight"'],
  [withWeight('NaN'), 'not JSON'],
  [withWeight('[5]'), 'its "weight"'],
  [withMeta('null'), 'its "meta" is not'],
  [withMeta('["a"]'), 'its "meta" is not'],
  [withMeta('{"zone":1}'), 'its "meta" is not'],
  [withMeta('{"zone":["a"]}'), 'its "meta" is not'],
  [withMeta('{"":"a"}'), 'a name is'],
  [withMeta('{"a b":"a"}'), 'a name is'],
  [withMeta('{"__proto__":"a"}'), 'a name is'],
  [withMeta(`{"${'n'.repeat(65)}":"a"}`), 'a name is'],
  [withMeta('{"zone":"a;b"}'), 'a value is'],
  [withMeta('{"zone":"a b"}'), 'a value is'],
  [withMeta(String.raw`{"zone":"a\n"}`), 'a value is'],
  [withMeta(`{"zone":"${'v'.repeat(129)}"}`), 'a value is'],
  [
    withMeta(`{${Array.from({ length: 17 }, (_, n) => `"n${n}":""`).join(',')}}`),
    'more than 16 names',
  ],
])('%s is no value: %s', (text, reason) => {
  expect(read(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
});

test('each form has a length of its own, and a longer value is not read', () => {
  const json = `{"address":"${address}"}`;
  const ofBytes = (bytes: number) => read(`${json}${' '.repeat(bytes - json.length)}`);
  expect(ofBytes(maxJsonBytes)).toMatchObject({ ok: true });
  expect(ofBytes(maxJsonBytes + 1)).toEqual({
    ok: false,
    reason: '2049 bytes; a JSON value has at most 2048',
  });
  expect(read(address, 67)).toEqual({ ok: false, reason: '67 bytes; IP:PORT has at most 64' });
});

/** Own properties only, as JSON.parse and Object.fromEntries make them. */
const metaName = fc
  .string({ unit: fc.constantFrom(...'abzAZ019._-'.split('')), minLength: 1, maxLength: 64 })
  .filter((name) => name !== '__proto__');
const metaValue = fc.string({
  unit: fc.constantFrom(...'abzAZ019._:/@-'.split('')),
  maxLength: 40,
});
const anyPort = fc.integer({ min: 1, max: 65_535 });
const someAddress = fc
  .oneof(
    fc.tuple(fc.ipV4(), anyPort).map(([ip, port]) => `${ip}:${port}`),
    fc.tuple(fc.ipV6(), anyPort).map(([ip, port]) => `[${ip}]:${port}`),
  )
  // Not every address is one that a server can be reached at.
  .filter((text) => parseAddress(text).ok);
const someValue = fc.record({
  address: someAddress,
  weight: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
  meta: fc.uniqueArray(fc.tuple(metaName, metaValue), {
    maxLength: 16,
    selector: ([name]) => name,
  }),
});

test('what is written is read back, whatever the order in which it was given', () => {
  fc.assert(
    fc.property(someValue, ({ address: at, weight, meta }) => {
      const text = formatValue({ address: at, weight, meta: Object.fromEntries(meta) });
      expect(
        formatValue({ address: at, weight, meta: Object.fromEntries(meta.toReversed()) }),
      ).toBe(text);
      const parsed = read(text);
      expect(parsed).toMatchObject({
        ok: true,
        value: { weight: weight ?? 1, meta: Object.fromEntries(meta) },
      });
      if (!parsed.ok) return;
      // In canonical spelling it stays itself.
      const again = formatValue({ ...parsed.value, weight });
      expect(read(again)).toEqual(parsed);
    }),
    { numRuns: 1000 },
  );
});

/** Text that is nearly a value, so that every branch is met. */
const hostile = fc.constantFrom(
  ...[
    '127.0.0.1:8001',
    '[::1]:80',
    '127.0.0.1:80; }',
    '"',
    '\\',
    '\n',
    '{{ pid }}',
    '@generation@',
  ],
  ...['${x}', '#', 'a', '', '__proto__', '1 weight=9', '\u0000', '\uFEFF', '127.0.0.1:1\n'],
);
const field = fc.oneof(hostile, fc.string(), fc.integer({ min: -2, max: 1002 }), fc.jsonValue());
const nearlyJson = fc
  .dictionary(
    fc.constantFrom('address', 'weight', 'meta', 'other'),
    fc.oneof(field, fc.dictionary(fc.oneof(metaName, hostile), fc.oneof(metaValue, field))),
  )
  .map((object) => ({ address, ...object }));
const nearlyValue = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  hostile,
  fc.json(),
  nearlyJson.map((object) => JSON.stringify(object)),
  nearlyJson.map((object) => JSON.stringify(object, undefined, 2)),
  fc
    .tuple(nearlyJson, fc.nat(60), fc.string({ maxLength: 3 }))
    .map(([object, at, noise]) => JSON.stringify(object).slice(0, at) + noise),
);

const { render } = createRenderer(
  {
    ...{ listen: '127.0.0.1:8080', confirmListen: '127.0.0.1:8079', confirmPath: '/' },
    ...{ pidFile: '/run/nginx.pid', errorLog: 'stderr', accessLog: 'off' },
    workerShutdownTimeoutMs: 240_000,
  },
  [service()],
  readTemplates(undefined),
);
const serversOf = (text: string) => text.split('\n').filter((line) => /^\s*server [^{]/.test(line));

test('whatever is accepted renders as one server line with an address and perhaps a weight', () => {
  let accepted = 0;
  fc.assert(
    fc.property(nearlyValue, (text) => {
      const parsed = parseBackend('/test', '/test/a', text, Buffer.byteLength(text));
      if (!parsed.ok) return;
      accepted += 1;
      const one = parsed.value;
      const servers = serversOf(render([{ service: service(), backends: [one] }]).text);
      const weight = one.weight > 1 ? ` weight=${one.weight}` : '';
      expect(servers).toEqual([`    server ${one.address}${weight};`]);
      expect(servers[0]).toMatch(/^ {4}server [0-9A-Fa-f.:[\]]+( weight=[1-9]\d{0,3})?;$/);
      expect(Object.entries(one.meta).join()).toMatch(/^[A-Za-z0-9._:/@,-]*$/);
      expect(read(formatValue(one))).toMatchObject({ ok: true, value: { meta: one.meta } });
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(100);
});
