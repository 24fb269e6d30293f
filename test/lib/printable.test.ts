import { expect, test } from 'vitest';
import { printable } from '../../src/lib/printable.ts';

test('what a terminal would obey is replaced, what it would show is not', () => {
  expect(printable('a\u{1b}[31mb\nc\u{0}\u{202e}d\u{2028}', 99)).toBe('a�[31mb�c��d�');
  expect(printable('größe 日本', 99)).toBe('größe 日本');
});

test('it is cut between characters, not within one', () => {
  expect(printable('😀😀😀', 2)).toBe('😀😀');
});
