/** A log that keeps its lines: "warn key set aside". Debug lines are kept too. */
import type { Log } from '../../src/lib/log.ts';

export interface RecordedLog {
  readonly log: Log;
  readonly lines: string[];
  /** The fields of the last line. */
  readonly fields: () => unknown;
}

export function recordedLog(): RecordedLog {
  const lines: string[] = [];
  let last: unknown;
  const at = (level: string) => (first: unknown, text?: string) => {
    lines.push(`${level} ${text ?? String(first)}`);
    last = text === undefined ? {} : first;
  };
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { log, lines, fields: () => last };
}
