/**
 * One JSON object from text that anybody may have written. Pure. It is read in one way
 * only: a name that stands twice, which other readers could take for the other value,
 * is refused wherever it stands.
 */
import type { Parsed } from './backend.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function parseJsonObject(text: string): Parsed<JsonObject> {
  let members = 0;
  let value: unknown;
  try {
    // Called once for each member that is left after the last of a name has won, and for the whole.
    value = JSON.parse(text, function (this: unknown, _name, member: unknown) {
      if (!Array.isArray(this)) members += 1;
      return member;
    });
  } catch {
    return { ok: false, reason: 'it is not JSON' };
  }
  if (!isJsonObject(value)) return { ok: false, reason: 'it is not a JSON object' };
  if (namesIn(text) !== members - 1) return { ok: false, reason: 'a name stands in it twice' };
  return { ok: true, value };
}

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of text that is JSON: a string is a name where a colon follows it. */
const namesIn = (text: string) =>
  [...text.matchAll(/"(?:[^"\\]|\\.)*"([ \t\r\n]*:)?/g)].filter(([, colon]) => colon).length;
