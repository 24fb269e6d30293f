/**
 * One parser for each kind of option value. A parser returns the typed value or
 * throws a BadValue that says what is accepted; it never guesses.
 */
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { parseAddress, parseKey } from '../registry/backend.ts';

/** What is accepted instead, as the end of the sentence "--ttl: 2500ms is not accepted: ...". */
export class BadValue extends Error {}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

export interface DurationLimits {
  readonly minMs: number;
  readonly maxMs: number;
  readonly wholeSeconds?: boolean;
}

/** "250ms", "1.5s", "2m" to milliseconds. A bare number has no unit and is refused. */
export const duration =
  ({ minMs, maxMs, wholeSeconds = false }: DurationLimits) =>
  (text: string): number => {
    const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
    const ms = Number(number) * (unitMs[unit ?? ''] ?? Number.NaN);
    if (Number.isNaN(ms)) throw new BadValue('a number and its unit, such as 250ms, 5s or 1m');
    if (ms < minMs || ms > maxMs) {
      throw new BadValue(`between ${formatDuration(minMs)} and ${formatDuration(maxMs)}`);
    }
    if (wholeSeconds && ms % 1000 !== 0) throw new BadValue('whole seconds, such as 5s');
    return ms;
  };

/** The shortest text that `duration` reads back: 1000 to "1s", 250 to "250ms". */
export function formatDuration(ms: number): string {
  if (ms >= 60_000 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms >= 1000 && ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

export const count =
  (min: number, max: number) =>
  (text: string): number => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new BadValue(`a whole number between ${min} and ${max}`);
    }
    return number;
  };

export const choice =
  <T extends string>(...accepted: readonly T[]) =>
  (text: string): T => {
    const found = accepted.find((one) => one === text);
    if (found === undefined) throw new BadValue(`one of ${accepted.join(', ')}`);
    return found;
  };

/** @returns the normalised URL, always with a path. */
export function httpUrl(text: string): string {
  const accepted = 'an http:// or https:// URL, such as http://127.0.0.1:8001/';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new BadValue(accepted);
  if (url.username || url.password) throw new BadValue('a URL without a user or password in it');
  return url.href;
}

/** "URL[,URL]" to the list of etcd endpoints, each scheme://host:port. */
export function endpoints(text: string): readonly string[] {
  const accepted = 'http:// or https:// URLs with a port and no path, such as http://10.0.0.1:2379';
  const urls = text.split(',').map((part) => {
    const url = URL.canParse(part.trim()) ? new URL(part.trim()) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) throw new BadValue(accepted);
    if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
      throw new BadValue(accepted);
    }
    if (url.port === '0') throw new BadValue('a port between 1 and 65535');
    // A URL drops the default port of its scheme; etcd's clients would then guess another.
    return `${url.protocol}//${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
  });
  if (new Set(urls.map((url) => url.split(':', 1)[0])).size > 1) {
    throw new BadValue('either http:// or https:// for all of them, not both');
  }
  if (new Set(urls).size < urls.length) throw new BadValue('each endpoint once');
  return urls;
}

/** A backend's address as written in etcd: "172.17.8.101:8001", "[2001:db8::1]:8001". */
export function backendAddress(text: string): string {
  // A value in etcd is forgiven the line break that `echo` leaves; an option is not.
  const parsed = parseAddress(text.endsWith('\n') ? `${text}\n` : text);
  if (!parsed.ok) throw new BadValue(`IP:PORT, such as 172.17.8.101:8001 (${parsed.reason})`);
  return parsed.value.address;
}

/** A backend's key: a prefix of one or more parts, and a name. */
export function backendKey(text: string): string {
  const parsed = parseKey(text);
  if (!parsed.ok) throw new BadValue(`/PREFIX/NAME, such as /test/apache-8001 (${parsed.reason})`);
  return text;
}

/** A key prefix without its closing slash. */
export function keyPrefix(text: string): string {
  const prefix = text.replace(/\/$/, '');
  if (!/^(\/[A-Za-z0-9._-]+)+$/.test(prefix)) {
    throw new BadValue('a path of letters, digits, ".", "_" and "-", such as /test');
  }
  return prefix;
}

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** Where one of our own servers listens. Port 0 takes a free one. */
export function socketAddress(text: string): SocketAddress {
  const [, v6, other, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? other;
  const isHost = v6 === undefined ? /^[A-Za-z0-9.-]+$/.test(other ?? '') : isIP(v6) === 6;
  if (host === undefined || !isHost || Number(port) > 65_535) {
    throw new BadValue('HOST:PORT, such as 127.0.0.1:9100');
  }
  return { host, port: Number(port) };
}

/** An absolute path that can stand in nginx.conf as it is, and on a command line. */
export function absolutePath(text: string): string {
  if (!isAbsolute(text) || !/^[\w./+@:,=-]+$/.test(text)) {
    throw new BadValue('an absolute path of letters, digits and ./_+@:,=-');
  }
  return text;
}
