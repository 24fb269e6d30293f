import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { regexMatch, textMatch } from '../../../src/watchdog/probe/body-match.ts';

test('a text is looked for byte by byte', () => {
  const body = Buffer.from('Grüße, Ω');
  expect(textMatch('üße').found(body)).toBe(true);
  expect(textMatch('ÜSSE').found(body)).toBe(false);
});

test('what is shown of it is short, and on one line', () => {
  expect(textMatch('a\nb').words).toBe(String.raw`contain "a\nb"`);
  expect(regexMatch('x{1000}').words).toBe('match /x{1000}/');
  expect(textMatch('x'.repeat(999)).words.length).toBeLessThan(100);
});

describe('a regular expression', () => {
  test('in UTF-8', () => {
    expect(regexMatch('^Gr..e, \\p{Greek}$').found(Buffer.from('Grüße, Ω'))).toBe(true);
  });

  test.each(['(?=a)', String.raw`(a)\1`, '(', 'a**', '[z-a]'])('%s is refused', (source) => {
    expect(() => regexMatch(source)).toThrow('error parsing regexp');
  });

  /** Where each of them is at its worst: as long a body as is allowed, and no match. */
  test.each([
    ['(a+)+[bc]$', 'a'],
    ['(a|a|aa)*[bc]', 'a'],
    ['(.*)(.*)(.*)(.*)[yz]', 'x'],
    ['a.{100}[cd]', 'aabba'],
    ['(ab?){1,20}[cd]', 'ab'],
  ])('%s does not run away', (source, piece) => {
    const match = regexMatch(source);
    const bytes = Math.min(match.mostBodyBytes, 64 * 1024);
    const body = Buffer.from('cdbyz'.concat(piece.repeat(bytes)).slice(-bytes));
    const beganAtMs = performance.now();
    match.found(body);
    // Backtracking would take years; linear time takes 300 ms at worst, and the machine its share.
    expect(performance.now() - beganAtMs).toBeLessThan(3000);
  });

  /** Where each letter of a random body leads to a state that was not there before. */
  test.each(['[ab]*a[ab]{100}[cd]', 'a.{100}[cd]', '[ab]*a[ab]{900}[cd]'])(
    '%s takes no memory for bodies without a pattern',
    async (source) => {
      const flags = ['--input-type=module', '--eval', growth, bodyMatchUrl, source];
      const { stdout } = await promisify(execFile)(process.execPath, flags);
      // 2 MiB, and what the collector lets lie about; re2js's DFA takes 90.
      expect(Number(stdout)).toBeGreaterThan(0);
      expect(Number(stdout)).toBeLessThan(40 * 1024);
    },
  );

  test('the larger it is, the smaller the bodies that it may read', () => {
    expect(regexMatch('"status": *"(up|ok)"').mostBodyBytes).toBeGreaterThan(64 * 1024);
    expect(regexMatch('(ab?){1,1000}[cd]').mostBodyBytes).toBeLessThan(2000);
  });
});

const bodyMatchUrl = new URL('../../../src/watchdog/probe/body-match.ts', import.meta.url).href;

/** Runs in a process of its own, and writes by how many KiB that has grown at the most. */
const growth = `
  const [url, source] = process.argv.slice(1);
  const { regexMatch } = await import(url);
  const match = regexMatch(source);
  let state = 1;
  const letter = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return 97 + ((state >>> 16) & 1);
  };
  const bodies = [1, 2, 3].map(() => Buffer.alloc(match.mostBodyBytes).map(letter));
  const before = process.memoryUsage().rss / 1024;
  if (bodies.some((body) => match.found(Buffer.from(body)))) throw new Error('found');
  process.stdout.write(String(process.resourceUsage().maxRSS - before));
`;
