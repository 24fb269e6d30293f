/**
 * nginx's configuration language as nginx itself reads it (ngx_conf_read_token in
 * src/core/ngx_conf_file.c): words, quotes, escapes, comments, braces, and ${ for a variable. What
 * nginx refuses is an error here too.
 */
export interface Directive {
  readonly words: readonly string[];
  readonly line: number;
  /** Undefined: it ends with a semicolon. */
  readonly block?: readonly Directive[];
}

type Token =
  | { readonly kind: 'word'; readonly text: string; readonly line: number }
  | { readonly kind: ';' | '{' | '}' | 'end'; readonly line: number };

export function parseNginx(text: string): readonly Directive[] {
  const tokens = tokensOf(text);
  const block = (isOuter: boolean): readonly Directive[] => {
    const directives: Directive[] = [];
    let words: string[] = [];
    for (;;) {
      const token = tokens.next().value;
      if (token.kind === 'word') {
        words.push(token.text);
        continue;
      }
      if (token.kind === ';' || token.kind === '{') {
        if (words.length === 0) throw refused(`unexpected "${token.kind}"`, token.line);
        const { line } = token;
        directives.push(
          token.kind === ';' ? { words, line } : { words, line, block: block(false) },
        );
        words = [];
        continue;
      }
      if (words.length > 0 || (token.kind === 'end') !== isOuter) {
        throw refused(`unexpected ${token.kind}`, token.line);
      }
      return directives;
    }
  };
  return block(true);
}

const refused = (what: string, line: number) => new Error(`${what} in line ${line}`);

const isBlank = (char: string) => ' \t\r\n'.includes(char);
const escapes: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' };

/** What a word means: a backslash goes before a quote, a backslash, t, r and n only. */
const meaning = (raw: string) =>
  raw.replaceAll(/\\(["'\\trn])/g, (_all, char: string) => escapes[char] ?? char);

function* tokensOf(text: string): Generator<Token, Token> {
  let at = 0;
  let line = 1;
  const advance = () => {
    if (text[at] === '\n') line += 1;
    at += 1;
  };
  for (;;) {
    while (at < text.length && isBlank(text[at] ?? '')) advance();
    const char = text[at];
    if (char === undefined) return yield { kind: 'end', line };
    if (char === '#') {
      while (at < text.length && text[at] !== '\n') at += 1;
      continue;
    }
    if (char === ';' || char === '{' || char === '}') {
      at += 1;
      yield { kind: char, line };
      continue;
    }
    if (char === '"' || char === "'") {
      advance();
      const start = at;
      while (at < text.length && text[at] !== char) {
        if (text[at] === '\\') advance();
        advance();
      }
      if (at >= text.length) throw refused('unexpected end of file', line);
      yield { kind: 'word', text: meaning(text.slice(start, at)), line };
      at += 1;
      const next = text[at];
      if (next !== undefined && !isBlank(next) && !';{)'.includes(next)) {
        throw refused(`unexpected "${next}"`, line);
      }
      continue;
    }
    const start = at;
    while (at < text.length) {
      const here = text[at] ?? '';
      if (here === '\\') {
        advance();
        advance();
        continue;
      }
      if (here === '$' && text[at + 1] === '{') {
        at += 1;
        while (text[at] === '{') at += 1;
        continue;
      }
      if (isBlank(here) || here === ';' || here === '{') break;
      at += 1;
    }
    yield { kind: 'word', text: meaning(text.slice(start, at)), line };
  }
}
