/**
 * What a body must hold. A text is looked for byte by byte; a regular expression runs in
 * time linear in the body (RE2's syntax: no look-around, no back-references), so no body
 * can make it run away. How long it may take for a body of a given size is known before
 * the first one is read: `mostBodyBytes`.
 */
import { createRequire } from 'node:module';

export interface BodyMatch {
  /** As an operator would say it: contain "ready", match /up|ok/. */
  readonly words: string;
  /** A body longer than this might keep the process from everything else for too long. */
  readonly mostBodyBytes: number;
  found(body: Buffer): boolean;
}

export const textMatch = (text: string): BodyMatch => ({
  words: `contain ${shown(JSON.stringify(text))}`,
  mostBodyBytes: Number.POSITIVE_INFINITY,
  found: (body) => body.includes(text),
});

/**
 * Steps of the expression times bytes of the body: 150 ms where everything is at its worst, and
 * twice that with classes of characters as large as \p{L}. Measured on the NFA, see below.
 */
const mostSteps = 4_000_000;

/** @throws Error with the reason where it is none, or asks for what takes more than linear time. */
export function regexMatch(source: string): BodyMatch {
  // 10 ms and some megabytes, only for who uses it, and at once: an option is judged at the start.
  const { RE2JS } = createRequire(import.meta.url)('re2js') as typeof import('re2js');
  const regex = RE2JS.compile(source);
  return {
    words: `match ${shown(`/${source}/`)}`,
    mostBodyBytes: Math.floor(mostSteps / regex.programSize()),
    // Not `test`: it builds a DFA as it goes, which a body without a pattern makes grow to some
    // 100 MB in vain. This one asks where the match is, for which there is the NFA only.
    found: (body) => regex.matcher(body.toString()).find(),
  };
}

const shown = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}...` : text);
