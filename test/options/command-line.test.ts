import { expect, test, vi } from 'vitest';
import { UsageError } from '../../src/lib/errors.ts';
import { commandOf, HelpShown, parseCommandLine } from '../../src/options/command-line.ts';
import { flagOf, onOff, option, optional, variableOf } from '../../src/options/option.ts';
import { absolutePath, BadValue, count, duration } from '../../src/options/values.ts';

const spec = {
  name: 'example',
  summary: 'An example.',
  options: {
    fastInterval: option({
      ...{ placeholder: 'DURATION', help: 'pause', default: '250ms' },
      parse: duration({ minMs: 10, maxMs: 1000 }),
    }),
    rise: option({ placeholder: 'COUNT', help: 'passes', required: true, parse: count(1, 9) }),
    template: option({
      ...{ placeholder: 'FILE', help: 'a file', default: '', defaultHelp: 'none' },
      parse: optional(absolutePath),
    }),
    once: option({ help: 'once', ...onOff }),
  },
};
const parse = (argv: string, environment: Record<string, string> = {}) =>
  parseCommandLine(spec, argv.split(' ').filter(Boolean), environment);

/** The one line that the operator sees. */
function refusal(argv: string, environment?: Record<string, string>): string {
  try {
    parse(argv, environment);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    expect(error.message).not.toContain('\n');
    return error.message;
  }
  throw new Error('it was accepted');
}

test('one name gives the flag and the variable', () => {
  expect(flagOf('confirmListen')).toBe('--confirm-listen');
  expect(variableOf('confirmListen')).toBe('ROLLCALL_CONFIRM_LISTEN');
});

test('the flag goes before the environment, and that before the default', () => {
  const environment = { ROLLCALL_FAST_INTERVAL: '20ms', ROLLCALL_RISE: '2' };
  expect(parse('--fast-interval 30ms', environment)).toMatchObject({ fastInterval: 30, rise: 2 });
  expect(parse('', environment)).toMatchObject({ fastInterval: 20 });
  expect(parse('--rise 1')).toEqual({
    ...{ fastInterval: 250, rise: 1, template: undefined, once: false },
  });
});

test('--flag=value is the same as --flag value', () => {
  expect(parse('--rise=3 --template=/etc/a')).toMatchObject({ rise: 3, template: '/etc/a' });
});

test('an empty variable is one that is not set', () => {
  expect(parse('--rise 1', { ROLLCALL_FAST_INTERVAL: '' })).toMatchObject({ fastInterval: 250 });
  expect(refusal('', { ROLLCALL_RISE: '' })).toContain('--rise COUNT is required');
});

test('a switch is on by its bare flag, or by true in the environment', () => {
  expect(parse('--rise 1 --once').once).toBe(true);
  expect(parse('--rise 1', { ROLLCALL_ONCE: 'true' }).once).toBe(true);
  expect(parse('--rise 1', { ROLLCALL_ONCE: 'false' }).once).toBe(false);
  expect(refusal('--rise 1', { ROLLCALL_ONCE: '1' })).toContain('ROLLCALL_ONCE: "1"');
});

test('an unknown flag is refused with the nearest known one', () => {
  expect(refusal('--rice 1')).toBe("unknown option '--rice' (Did you mean --rise?)");
});

test('a flag without its value, and a word too many, are refused', () => {
  expect(refusal('--rise')).toContain('argument missing');
  expect(refusal('--rise 1 now')).toContain('too many arguments');
});

test('a value that is not accepted is named as it was given: by its flag or its variable', () => {
  expect(refusal('--rise 0')).toBe('--rise: "0" is not accepted: a whole number between 1 and 9');
  expect(refusal('', { ROLLCALL_RISE: 'two' })).toMatch(/^ROLLCALL_RISE: "two" is not accepted/);
});

test('a missing option names the flag, the variable and what it is for', () => {
  expect(refusal('')).toBe('--rise COUNT is required (or ROLLCALL_RISE): passes');
});

test('whatever was given is shown on one line and not without end', () => {
  const line = refusal('', { ROLLCALL_RISE: `1\n2${'x'.repeat(10_000)}` });
  expect(line).toContain(String.raw`"1\n2xxx`);
  expect(line.length).toBeLessThan(250);
});

test('--help prints every option with its default and its variable, and is no error', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    expect(() => parse('--help')).toThrow(HelpShown);
    const help = write.mock.calls
      .map(([text]) => String(text))
      .join('')
      .replaceAll(/\s+/g, ' ');
    expect(help).toContain(
      '--fast-interval <DURATION> pause (default: 250ms; ROLLCALL_FAST_INTERVAL)',
    );
    expect(help).toContain('--rise <COUNT> passes (required; ROLLCALL_RISE)');
    expect(help).toContain('--template <FILE> a file (default: none; ROLLCALL_TEMPLATE)');
  } finally {
    write.mockRestore();
  }
});

test('the word after an option that takes one is its value, whatever it looks like', () => {
  const words = option({ placeholder: 'TEXT', help: 'a text', default: '', parse: (text) => text });
  const textual = { name: 'example', summary: '', options: { body: words, other: words } };
  const given = (...argv: string[]) => parseCommandLine(textual, argv, {});
  expect(given('--body', '--status=ok')).toEqual({ body: '--status=ok', other: '' });
  expect(given('--body=--x=1', '--other', 'b')).toEqual({ body: '--x=1', other: 'b' });
});

test('a switch takes no value, and says so by its name', () => {
  expect(() => parse('--rise 2 --once=true')).toThrow(
    '--once takes no value, and was given "true"',
  );
});

test('a repeated option is one list, in the variable as on the line', () => {
  const listed = option({
    ...{ placeholder: 'WORD', help: 'words', default: '', separator: ',' as const },
    parse: (text: string) => text.split('\n'),
  });
  const spec2 = { name: 'example', summary: '', options: { word: listed } };
  expect(parseCommandLine(spec2, ['--word', 'a', '--word', 'b,c'], {})).toEqual({
    word: ['a', 'b,c'],
  });
  expect(parseCommandLine(spec2, [], { ROLLCALL_WORD: 'a,b' })).toEqual({ word: ['a', 'b'] });
});

test('a refused value is shown without the secrets in it', () => {
  const url = option({
    ...{ placeholder: 'URL', help: 'a URL', default: '' },
    parse: () => {
      throw new BadValue('another one');
    },
  });
  const header = option({ ...url, shown: (text) => text.replace(/:.*/, ': ...') });
  const secret = { name: 'example', summary: '', options: { url } };
  const given = (...argv: string[]) => parseCommandLine(secret, argv, {});
  expect(() => given('--url', 'http://root:hunter2@h/')).toThrow('"http://...@h/" is not accepted');
  expect(() =>
    parseCommandLine({ ...secret, options: { header } }, ['--header', 'Authorization: s3cret'], {}),
  ).toThrow('--header: "Authorization: ..." is not accepted: another one');
});

const about = {
  name: 'about',
  summary: 'About one key.',
  options: {
    key: option({
      ...{ positional: true as const, placeholder: 'KEY', help: 'the key', required: true },
      parse: absolutePath,
    }),
    wait: option({ help: 'wait', environment: false as const, ...onOff }),
    limit: option({
      ...{ placeholder: 'COUNT', help: 'a limit', default: '3', environment: false as const },
      parse: count(1, 9),
    }),
  },
};
const parseAbout = (argv: readonly string[], environment: Record<string, string> = {}) =>
  parseCommandLine(about, argv, environment);

test('a word that stands alone is its option, before or after flags', () => {
  const given = { key: '/a', wait: true, limit: 4 };
  expect(parseAbout(['/a', '--wait', '--limit', '4'])).toEqual(given);
  expect(parseAbout(['--limit=4', '--wait', '/a'])).toEqual(given);
});

test('the word goes before its variable, which stands for it where there is none', () => {
  const environment = { ROLLCALL_KEY: '/b' };
  expect(parseAbout([], environment).key).toBe('/b');
  expect(parseAbout(['/a'], environment).key).toBe('/a');
});

test.each([
  [[], 'KEY is required (or ROLLCALL_KEY): the key'],
  [[''], 'KEY is required (or ROLLCALL_KEY): the key'],
  [['a'], 'KEY: "a" is not accepted: an absolute path'],
  [
    ['/a', '/b\n'],
    'one KEY at a time, and there are 2 words that belong to no option: "/a", "/b\u{fffd}"',
  ],
  [['--key', '/a'], "unknown option '--key'"],
])('%j is refused: %s', (argv, says) => {
  expect(() => parseAbout(argv)).toThrow(UsageError);
  expect(() => parseAbout(argv)).toThrow(says);
});

test('a word of the environment that is not accepted is named by its variable', () => {
  expect(() => parseAbout([], { ROLLCALL_KEY: 'a' })).toThrow('ROLLCALL_KEY: "a" is not accepted');
});

test('an option without a variable is not heard from the environment', () => {
  const environment = { ROLLCALL_WAIT: 'true', ROLLCALL_LIMIT: 'none' };
  expect(parseAbout(['/a'], environment)).toEqual({ key: '/a', wait: false, limit: 3 });
});

test('--help names the word that stands alone, and no variable where there is none', () => {
  const help = commandOf(about).helpInformation().replaceAll(/\s+/g, ' ');
  expect(help).toContain('Usage: rollcall about [options] [KEY]');
  expect(help).toContain('KEY the key (required; ROLLCALL_KEY)');
  expect(help).toContain('--limit <COUNT> a limit (default: 3)');
});
