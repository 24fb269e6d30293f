import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { plain, quote } from '../../../src/balancer/render/nginx-escape.ts';
import { parseNginx } from '../../support/nginx-tokens.ts';

test.each([
  ['apache-8001', 'apache-8001'],
  ['[2001:db8::1]:8001', '[2001:db8::1]:8001'],
  ['/var/log/nginx/a_b,c=d+e@f', '/var/log/nginx/a_b,c=d+e@f'],
  ['!%&()*<>?^|~-`', '!%&()*<>?^|~-`'],
  ['', ''],
  [8001, '8001'],
  [1.5, '1.5'],
  [true, 'true'],
  [null, ''],
  [undefined, ''],
])('%j is printed as %j', (value, text) => {
  expect(plain(value)).toBe(text);
});

const meaning = [
  ...[' ', '\t', '\r', '\n', ';', '{', '}', '#', '$', '"', "'", '\\'],
  ...['\u0000', '\u007f', '\u00a0', 'é', '\uff1b', '\ud800'],
];

test.each(meaning)('what has %j in it has to be quoted', (char) => {
  for (const text of [char, `a${char}`, `${char}a`, `a${char}b`]) {
    expect(() => plain(text)).toThrow('pass it through "| quote"');
  }
});

test('every printable character is either a plain one or one of those', () => {
  for (let code = 0x21; code < 0x7f; code += 1) {
    const char = String.fromCharCode(code);
    const isPlain = !meaning.includes(char);
    expect([char, isPlain]).toEqual([char, isAccepted(plain, char)]);
  }
});

const isAccepted = (escape: (value: unknown) => string, text: string) => {
  try {
    escape(text);
    return true;
  } catch {
    return false;
  }
};

test.each([
  ['a list', ['a'], 'a list cannot be printed'],
  ['an object', { a: 1 }, 'an object cannot be printed'],
  ['a function', () => 1, 'an object cannot be printed'],
])('%s is printed in no way', (_what, value, why) => {
  expect(() => plain(value)).toThrow(why);
  expect(() => quote(value)).toThrow(why);
});

test.each([
  ["a b;{}#'", '"a b;{}#\'"'],
  ['say "a\\b"', String.raw`"say \"a\\b\""`],
  [String.raw`a\n`, String.raw`"a\\n"`],
  ['é ；', '"é ；"'],
  ['', '""'],
  [8001, '"8001"'],
  [null, '""'],
])('%j is quoted as %s', (value, text) => {
  expect(quote(value)).toBe(text);
});

test.each([
  ['a$b', 'nginx would read a variable'],
  ['${a}', 'nginx would read a variable'],
  ['a\nb', 'it has control characters'],
  ['a\u0000', 'it has control characters'],
  ['a\u0085', 'it has control characters'],
  ['a\u007f', 'it has control characters'],
  ['\ud800', 'it has control characters'],
])('%j cannot be quoted: %s', (text, why) => {
  expect(() => quote(text)).toThrow(why);
  expect(() => quote(text)).toThrow(/^[\x20-\x7e\ufffd]*$/);
});

test('whatever is printed is one word of nginx, and reads back as it was', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc
      .array(fc.constantFrom('a', ...meaning, '\\n', '\\"', '${', '};'), { maxLength: 6 })
      .map((parts) => parts.join('')),
  );
  let quoted = 0;
  fc.assert(
    fc.property(texts, (text) => {
      for (const escape of [plain, quote]) {
        if (!isAccepted(escape, text)) continue;
        quoted += escape === quote ? 1 : 0;
        // Nothing at all is no word, and stays out of the way.
        if (escape === plain && text === '') continue;
        const [{ words } = { words: [] }, ...more] = parseNginx(`set ${escape(text)};`);
        expect(words).toEqual(['set', text]);
        expect(more).toEqual([]);
      }
    }),
    { numRuns: 5000 },
  );
  expect(quoted).toBeGreaterThan(1000);
});
