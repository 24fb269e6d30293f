import { expect, test } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { watchdogOptions, watchdogSettings } from '../../src/options/watchdog-options.ts';

const spec = { name: 'watchdog', summary: '', options: watchdogOptions };
const required = '--key /test/a --address 127.0.0.1:8001';
const settings = (flags = '') =>
  watchdogSettings(parseCommandLine(spec, `${required} ${flags}`.trim().split(' '), {}));

test('the defaults hold together', () => {
  expect(settings()).toMatchObject({
    ...{ key: '/test/a', address: { kind: 'given', address: '127.0.0.1:8001' } },
    ...{ ttl: 5000, byHand: 'restore', recordPrefix: '/rollcall', meta: {}, weight: undefined },
    rules: {
      ...{ intervalMs: 1000, timeoutMs: 1000, fastIntervalMs: 250 },
      ...{ rise: 1, fall: 2, startGraceMs: 10_000 },
    },
    ...{ etcd: ['http://127.0.0.1:2379'], logLevel: 'info', admin: undefined },
  });
});

test('contradictions of the parts are refused here, before the address is known', () => {
  const elsewhere = '--key /test/a --address :8001';
  for (const [flags, says] of [
    ['--record-prefix /test', '--record-prefix /test cannot go with --key /test/a'],
    ['--probe tcp://127.0.0.1:80 --probe-method HEAD', '--probe-method is of no use'],
  ] as const) {
    const line = `${elsewhere} ${flags}`.split(' ');
    expect(() => watchdogSettings(parseCommandLine(spec, line, {}))).toThrow(says);
  }
});

test('the probe may ask elsewhere than the address', () => {
  const { probe } = settings('--probe http://127.0.0.1:8001/health');
  expect(probe).toBe('http://127.0.0.1:8001/health');
});

test.each([
  ['--ttl 4s', '--ttl 4s cannot hold', 'give --ttl 5s or more'],
  ['--interval 2s', '--ttl 5s cannot hold', 'give --ttl 6s or more'],
  ['--timeout 3s', '--ttl 5s cannot hold', 'give --ttl 9s or more'],
  ['--fall 3', '--ttl 5s cannot hold', 'give --ttl 7s or more'],
])('%s cannot hold, and what would is told', (flags, what, instead) => {
  expect(() => settings(flags)).toThrow(UsageError);
  expect(() => settings(flags)).toThrow(what);
  expect(() => settings(flags)).toThrow(instead);
});

test('the TTL that is proposed is accepted', () => {
  expect(settings('--fall 3 --ttl 7s').ttl).toBe(7000);
});

test('a fast interval is not longer than the interval', () => {
  expect(() => settings('--interval 500ms --fast-interval 501ms')).toThrow(
    '--fast-interval 501ms is longer than --interval 500ms: give at most 500ms',
  );
});

test.each([
  ...['--ttl 1s', '--ttl 2500ms', '--ttl 5', '--rise 0', '--fall 0', '--probe 127.0.0.1:8001'],
  ...['--key /apache', '--address localhost:80', '--log-level trace', '--etcd etcd:2379'],
])('%s is refused', (flags) => {
  expect(() => settings(flags)).toThrow(UsageError);
});
