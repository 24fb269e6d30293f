import { expect, test } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import {
  backendOptions,
  backendValue,
  checkBackendOptions,
} from '../../src/options/backend-options.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { parseValue } from '../../src/registry/backend.ts';

const spec = { name: 'watchdog', summary: '', options: backendOptions };
const required = ['--key', '/test/a', '--address', '127.0.0.1:8001'];

function values(flags: readonly string[] = [], environment: Record<string, string> = {}) {
  const parsed = parseCommandLine(spec, [...required, ...flags], environment);
  checkBackendOptions(parsed);
  return parsed;
}

test('the defaults: the plain address, and a record elsewhere', () => {
  expect(values()).toEqual({
    ...{ key: '/test/a', address: { kind: 'given', address: '127.0.0.1:8001' } },
    ...{ weight: undefined, meta: {}, recordPrefix: '/rollcall', byHand: 'restore' },
  });
  expect(backendValue(values(), '127.0.0.1:8001')).toBe('127.0.0.1:8001');
});

test('a port alone is that of this host', () => {
  expect(values(['--address', ':8001']).address).toEqual({ kind: 'own host', port: 8001 });
});

test('an address is written in its canonical form', () => {
  const { address } = values(['--address', '[2001:DB8:0::1]:80']);
  expect(address).toEqual({ kind: 'given', address: '[2001:db8::1]:80' });
});

test('weight and metadata make the value JSON', () => {
  const given = values([
    '--weight',
    '5',
    '--meta',
    'zone=a',
    '--meta',
    'url=http://a/b',
    '--meta',
    'e=',
  ]);
  expect(backendValue(given, '127.0.0.1:8001')).toBe(
    '{"address":"127.0.0.1:8001","weight":5,"meta":{"e":"","url":"http://a/b","zone":"a"}}',
  );
  expect(backendValue(values(['--weight', '1']), '127.0.0.1:8001')).toBe(
    '{"address":"127.0.0.1:8001","weight":1}',
  );
});

test('in the environment metadata stands between commas', () => {
  expect(values([], { ROLLCALL_META: 'zone=a,rack=3' }).meta).toEqual({ rack: '3', zone: 'a' });
});

test.each([
  ...['--address :0', '--address :', '--address :08001', '--address :65536', '--address ::1:80'],
  ...['--address localhost:80', '--address 127.0.0.1', '--address [::1]', '--key /apache'],
  ...['--weight 0', '--weight 1001', '--weight 1.5', '--weight heavy', '--weight -1'],
  ...['--meta zone', '--meta =a', '--meta zone=a,rack=3', '--meta zone=a=b', '--meta __proto__=a'],
  ...['--meta zone=a --meta zone=b', `--meta ${'n'.repeat(65)}=a`],
  Array.from({ length: 17 }, (_, n) => `--meta n${n}=`).join(' '),
  ...['--by-hand ignore', '--record-prefix rollcall', '--record-prefix /'],
])('%j is refused', (flags) => {
  expect(() => values(flags.split(' '))).toThrow(UsageError);
});

test('metadata is refused with the reason', () => {
  expect(() => values(['--meta', 'zone=a b'])).toThrow(
    '--meta: "zone=a b" is not accepted: NAME=VALUE, such as zone=a: a value is at most 128',
  );
  expect(() => values(['--meta', 'a=1', '--meta', 'a=2'])).toThrow('a is there twice');
});

test.each(['/test', '/test/records', '/'.concat('test/')])(
  'records at %s would be backends',
  (prefix) => {
    expect(() => values(['--record-prefix', prefix])).toThrow(
      'give a prefix that is neither /test',
    );
  },
);

test('nor may backends lie among the records, and what is proposed is accepted', () => {
  const below = ['--key', '/rollcall/web/a'];
  expect(() => values(below)).toThrow(
    '--record-prefix /rollcall cannot go with --key /rollcall/web/a: give a prefix that is neither ' +
      '/rollcall/web nor above or below it, such as /rollcall-records',
  );
  const { recordPrefix } = values([...below, '--record-prefix', '/rollcall-records']);
  expect(recordPrefix).toBe('/rollcall-records');
  expect(values(['--record-prefix', '/test-records']).recordPrefix).toBe('/test-records');
});

/** Ten names of their own, and one more with a value of this length. */
const muchMetadata = (length: number) =>
  [
    ...Array.from({ length: 10 }, (_, n) => `${n}${'n'.repeat(55)}=${'v'.repeat(128)}`),
    `last=${'v'.repeat(length)}`,
  ].flatMap((entry) => ['--meta', entry]);

test('metadata that is too much for a reader is refused, and whatever is accepted is read', () => {
  const longest = '[fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535';
  let accepted = 0;
  for (let length = 0; length <= 128; length += 1) {
    try {
      const text = backendValue(values(muchMetadata(length)), longest);
      expect(parseValue(text, Buffer.byteLength(text))).toMatchObject({ ok: true });
      accepted += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
    }
  }
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(128);
});
