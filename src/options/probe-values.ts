/** Parsers for the options of the probe: a typed value, or a BadValue that says what is accepted. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { messageOf } from '../lib/errors.ts';
import { type BodyMatch, regexMatch } from '../watchdog/probe/body-match.ts';
import type { StatusRange } from '../watchdog/probe/target.ts';
import { BadValue, httpUrl, socketAddress } from './values.ts';

/** @returns the normalised URL: http:// and https:// always with a path, tcp:// never. */
export function probeUrl(text: string): string {
  if (!/^tcp:/i.test(text)) {
    try {
      const url = httpUrl(text);
      if (new URL(url).port === '0') throw new BadValue('a URL with a port from 1 to 65535');
      return url;
    } catch (error) {
      throw new BadValue(`${messageOf(error)}, or tcp://HOST:PORT`);
    }
  }
  const [, address = ''] = /^tcp:\/\/(.+:0*[1-9]\d*)$/i.exec(text) ?? [];
  try {
    socketAddress(address);
  } catch {
    throw new BadValue('tcp://HOST:PORT, such as tcp://127.0.0.1:8001');
  }
  return `tcp://${address}`;
}

/** "200,204,300-399" */
export function statusRanges(text: string): readonly StatusRange[] {
  return text.split(',').map((part) => {
    const [, first, last = first] = /^\s*(\d{3})(?:-(\d{3}))?\s*$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (!(from >= 200 && from <= to && to <= 599)) {
      throw new BadValue('status codes and ranges from 200 to 599, such as 200,204,300-399');
    }
    return { from, to };
  });
}

/** They are about the connection and not about the request, or are ours to say. */
const notOurs = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'expect', 'content-length'],
]);

/** "NAME: VALUE", one a line, to names and values by turns. */
export function requestHeaders(text: string): readonly string[] {
  if (text === '') return [];
  return text.split('\n').flatMap((line) => {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\x20-\x7e]*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new BadValue('NAME: VALUE in printable ASCII, such as "Accept: text/html"');
    }
    if (name.toLowerCase() === 'host') throw new BadValue('another than Host: give --probe-host');
    if (notOurs.has(name.toLowerCase()))
      throw new BadValue(`another than ${name}, which is not yours to give`);
    return [name, value];
  });
}

/** What can stand in a Host header: a name or an address, with or without a port. */
export function hostHeader(text: string): string {
  const [, v6, name, port = '80'] =
    /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isHost = v6 === undefined ? name !== undefined : isIPv6(v6) && !v6.includes('%');
  if (!isHost || Number(port) < 1 || Number(port) > 65_535) {
    throw new BadValue('HOST or HOST:PORT, such as www.example.org');
  }
  return text;
}

export function serverName(text: string): string {
  if (!/^(?=.*[A-Za-z])[A-Za-z0-9._-]{1,253}$/.test(text)) {
    throw new BadValue('a host name, such as www.example.org');
  }
  return text;
}

export function bodyRegex(text: string): BodyMatch {
  try {
    return regexMatch(text);
  } catch (error) {
    const reason = messageOf(error).replace(/^error parsing regexp: /, '');
    throw new BadValue(`a regular expression in RE2's syntax (${reason})`);
  }
}

const unitBytes: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 * 1024 };

/** "512B", "64KiB", "1MiB" to bytes. */
export function byteCount(text: string): number {
  const [, number, unit] = /^(\d+)(B|KiB|MiB)$/.exec(text) ?? [];
  const bytes = Number(number) * (unitBytes[unit ?? ''] ?? Number.NaN);
  if (!(bytes >= 1 && bytes <= 1024 * 1024)) {
    throw new BadValue('a whole number and its unit, from 1B to 1MiB, such as 64KiB');
  }
  return bytes;
}

/** What was in a file at the start, and which file that was. */
export interface PemFile {
  readonly path: string;
  readonly pem: string;
}

/** One certificate or more. */
export const certificateFile = (path: string): PemFile =>
  pemFile(path, 'a file with certificates in PEM', (pem) => {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs);
    if (!blocks) throw new Error('there is none in it');
    for (const block of blocks) new X509Certificate(block);
  });

export const keyFile = (path: string): PemFile =>
  pemFile(path, 'a file with a private key in PEM, without a passphrase', createPrivateKey);

function pemFile(path: string, accepted: string, check: (pem: string) => unknown): PemFile {
  try {
    // A pipe would be waited for, a device read for ever.
    if (!statSync(path).isFile()) throw new Error(`no regular file: ${path}`);
    const pem = readFileSync(path, 'utf8');
    check(pem);
    return { path, pem };
  } catch (error) {
    throw new BadValue(`${accepted} (${messageOf(error)})`);
  }
}
