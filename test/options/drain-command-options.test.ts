import { expect, test } from 'vitest';
import { parseCommandLine } from '../../src/options/command-line.ts';
import {
  drainCommandOptions,
  undrainCommandOptions,
} from '../../src/options/drain-command-options.ts';

const parse = (argv: readonly string[], environment = {}) =>
  parseCommandLine({ name: 'drain', summary: '', options: drainCommandOptions }, argv, environment);

test('the defaults: nothing is waited for, nothing is forced', () => {
  expect(parse(['/test/a'])).toMatchObject({
    ...{ key: '/test/a', wait: false, force: false, reason: undefined },
    ...{ timeout: 30_000, drainUntil: 'confirmed', balancers: 1, recordPrefix: '/rollcall' },
  });
});

test('what a whole site has in common may come from the environment, and what one run asks may not', () => {
  const environment = {
    ...{ ROLLCALL_BALANCERS: '2', ROLLCALL_DRAIN_UNTIL: 'finished', ROLLCALL_KEY: '/test/b' },
    ...{ ROLLCALL_FORCE: 'true', ROLLCALL_WAIT: 'true', ROLLCALL_TIMEOUT: '5s' },
  };
  expect(parse([], environment)).toMatchObject({
    ...{ key: '/test/b', balancers: 2, drainUntil: 'finished' },
    ...{ force: false, wait: false, timeout: 30_000 },
  });
});

const reason = (text: string) => parse(['/test/a', '--reason', text]).reason;

test('a reason is one line of bounded length', () => {
  expect(reason('neuer Kern, übermorgen')).toBe('neuer Kern, übermorgen');
  expect(reason('x'.repeat(200))).toHaveLength(200);
  for (const text of ['x'.repeat(201), 'a\nb', '\u{1b}[2J']) {
    expect(() => reason(text)).toThrow('at most 200 characters on one line');
  }
});

test('undrain knows no --force: there is nothing to force', () => {
  const spec = { name: 'undrain', summary: '', options: undrainCommandOptions };
  expect(() => parseCommandLine(spec, ['/test/a', '--force'], {})).toThrow('unknown option');
});
