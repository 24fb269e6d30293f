/**
 * Logs go to standard error: JSON lines for machines, readable text where
 * standard error is a terminal. `Notices` is how a loop that looks at the world
 * every second says a thing once: a topic is logged at its level when its text
 * changes and at debug while it stays the same.
 */
import { createRequire } from 'node:module';
import pino from 'pino';

export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>;

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

const standardError = 2;

export function createLog(level: LogLevel, fields: Readonly<Record<string, unknown>>): Log {
  const options = { level, base: fields, timestamp: pino.stdTimeFunctions.isoTime };
  if (process.stderr.isTTY) {
    // Loaded only for people: a sidecar does not pay for it.
    const pretty: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty');
    return pino(options, pretty({ destination: standardError, sync: true }));
  }
  return pino(
    { ...options, formatters: { level: (label) => ({ level: label }) } },
    pino.destination({ fd: standardError, sync: true }),
  );
}

export class Notices {
  readonly #log: Log;
  readonly #said = new Map<string, string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Logs `text` at `level` if it is news for this topic, at debug if it is not. */
  tell(topic: string, level: LogLevel, text: string, fields: Record<string, unknown> = {}): void {
    const news = this.#said.get(topic) !== text;
    this.#said.set(topic, text);
    this.#log[news ? level : 'debug'](fields, text);
  }

  /** Logs `text`, each time: what happens again is news again. */
  news(level: LogLevel, text: string, fields: Record<string, unknown> = {}): void {
    this.#log[level](fields, text);
  }

  /** Ends a topic; logs `text` at info if there was something to end. */
  clear(topic: string, text?: string, fields: Record<string, unknown> = {}): void {
    if (this.#said.delete(topic) && text) this.#log.info(fields, text);
  }
}
