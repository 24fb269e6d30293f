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

  test('the larger it is, the smaller the bodies that it may read', () => {
    expect(regexMatch('"status": *"(up|ok)"').mostBodyBytes).toBeGreaterThan(64 * 1024);
    expect(regexMatch('(ab?){1,1000}[cd]').mostBodyBytes).toBeLessThan(2000);
  });
});
