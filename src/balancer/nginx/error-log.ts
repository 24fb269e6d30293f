/**
 * Why nginx would not load a file, in its own words. A reload that it refuses leaves one trace, an
 * [emerg] line in the error log of the generation that goes on; one that never reached it leaves
 * none. Where the log cannot be read, neither is known.
 */
import { open, stat } from 'node:fs/promises';

/** How long the log was, so that what came since can be found; undefined: it cannot be read. */
export type LogMark = { readonly ino: bigint; readonly size: bigint } | undefined;

export type LoadTrace =
  | { readonly kind: 'refused'; readonly words: string }
  | { readonly kind: 'no trace' }
  | { readonly kind: 'unknown' };

export interface ErrorLog {
  mark(): Promise<LogMark>;
  /** What was written since then. */
  since(mark: LogMark): Promise<LoadTrace>;
}

const unknown: LoadTrace = { kind: 'unknown' };

/** What a busy nginx writes in some seconds; the refusal is looked for in the beginning of it. */
const readBytes = 1024 * 1024;
const maxWordsChars = 400;

/** @param path as given for nginx's error_log: a file, or "stderr", which cannot be read. */
export function errorLogAt(path: string): ErrorLog {
  const mark = async (): Promise<LogMark> => {
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    return found?.isFile() ? { ino: found.ino, size: found.size } : undefined;
  };
  return {
    mark,
    since: async (before) => {
      try {
        const now = await mark();
        // Rotated meanwhile, or emptied: what was written is elsewhere.
        if (!before || !now || before.ino !== now.ino || now.size < before.size) return unknown;
        return traceIn(await readFrom(path, before.size));
      } catch {
        return unknown;
      }
    },
  };
}

async function readFrom(path: string, from: bigint): Promise<string> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(readBytes),
    0,
    readBytes,
    Number(from),
  );
  return buffer.toString('utf8', 0, bytesRead);
}

/** "2026/01/01 00:00:00 [emerg] 7#7: WORDS", one line each. */
export function traceIn(text: string): LoadTrace {
  const lines = [...text.matchAll(/^\S+ \S+ \[emerg\] \d+#\d+: (.+)$/gm)].map(
    ([, said = '']) => said,
  );
  return lines.length === 0
    ? { kind: 'no trace' }
    : { kind: 'refused', words: [...new Set(lines)].join('; ').slice(0, maxWordsChars) };
}
