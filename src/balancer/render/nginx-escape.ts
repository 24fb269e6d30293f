/**
 * What a template prints, made for nginx. Pure. A value is printed as it is only where it could
 * be nothing but one word, or a part of one, in nginx.conf; everything else has to be quoted.
 */
import { printable } from '../../lib/printable.ts';

/** Of printable ASCII all but blanks and ; { } # $ " ' \ */
const plainWord = /^[!%&(-:<-[\]-z|~]*$/;

const shown = (text: string) => JSON.stringify(printable(text, 60));

/**
 * LiquidJS's `outputEscape`: what is printed of a value.
 * @throws Error with what to do instead.
 */
export function plain(value: unknown): string {
  const text = textOf(value);
  if (plainWord.test(text)) return text;
  throw new Error(
    `${shown(text)} has characters that mean something to nginx: pass it through "| quote"`,
  );
}

/**
 * The filter `quote`: a string in nginx's double quotes that nginx reads back as it was.
 * @throws Error for what nginx cannot be given in quotes.
 */
export function quote(value: unknown): string {
  const text = textOf(value);
  if (text.includes('$')) {
    throw new Error(`${shown(text)} cannot be quoted: nginx would read a variable after its "$"`);
  }
  if (/[\p{Cc}\p{Cs}]/u.test(text)) {
    throw new Error(`${shown(text)} cannot be quoted: it has control characters`);
  }
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** @throws Error for what has no text of its own. */
export function textOf(value: unknown): string {
  // Liquid's own nil and empty are objects that stand for a value.
  const itself = typeof value === 'object' && value !== null ? value.valueOf() : value;
  if (typeof itself === 'string') return itself;
  if (typeof itself === 'number' || typeof itself === 'boolean') return String(itself);
  if (itself === null || itself === undefined) return '';
  throw new Error(
    `${Array.isArray(itself) ? 'a list' : 'an object'} cannot be printed: print what is in it`,
  );
}
