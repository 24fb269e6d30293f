/**
 * The contract between watchdog and balancer: how a backend is written in etcd.
 * Pure, and the only place that knows the grammar. Whatever passes it can stand
 * in nginx.conf as a server's address and can be nothing else there.
 *
 *   key    /PREFIX/NAME    parts of [A-Za-z0-9._-], as `etcdctl put` and confd have them
 *   value  IPv4:PORT or [IPv6]:PORT, plain text
 */
import { isIPv4, isIPv6 } from 'node:net';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

export interface Address {
  /** As nginx and confd take it, in canonical form: IPv6 in brackets. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
}

export interface Backend extends Address {
  readonly key: string;
  /** The last part of the key. */
  readonly name: string;
}

/** A longer value is set aside unread: "[" + 45 characters of IPv6 + "]:65535" is 53. */
export const maxValueBytes = 64;

const maxKeyChars = 256;

const no = (reason: string) => ({ ok: false, reason }) as const;

/** Accepts one line break at the end, since `echo ... | etcdctl put` leaves one. */
export function parseAddress(text: string): Parsed<Address> {
  const trimmed = text.replace(/\r?\n$/, '');
  if (trimmed === '') return no('it is empty');
  if (trimmed.length > maxValueBytes) return no(`it is longer than ${maxValueBytes} characters`);
  const [, v6, other, digits] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(trimmed) ?? [];
  if (digits === undefined) {
    return isIPv6(trimmed) || /^[0-9A-Fa-f:]+:[0-9A-Fa-f:]+$/.test(trimmed)
      ? no('an IPv6 address is written in brackets with a port: [2001:db8::1]:8001')
      : no('it is not IP:PORT');
  }
  const port = Number(digits);
  if (port < 1 || port > 65_535 || digits.startsWith('0')) return no('the port is not 1 to 65535');
  if (v6 !== undefined) {
    if (!isIPv6(v6)) return no('what stands in brackets is not an IPv6 address');
    // URL gives the one canonical spelling, so that two spellings are seen as one address.
    const host = new URL(`http://[${v6}]/`).hostname.slice(1, -1);
    return { ok: true, value: { address: `[${host}]:${port}`, host, port } };
  }
  if (isIPv4(other ?? '')) {
    return { ok: true, value: { address: `${other}:${port}`, host: other ?? '', port } };
  }
  return /^[A-Za-z][A-Za-z0-9.-]*$/.test(other ?? '')
    ? no(
        'it is a name: nginx refuses its whole file when one name does not resolve, so write an IP',
      )
    : no('it is not IP:PORT');
}

/** @returns the key's prefix (all but the last part) and its name (the last part). */
export function parseKey(key: string): Parsed<{ readonly prefix: string; readonly name: string }> {
  if (key.length > maxKeyChars) return no(`it is longer than ${maxKeyChars} characters`);
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  if (parts[0] !== '') return no('it does not begin with /');
  if (parts.length < 3) return no('it is outside any prefix');
  if (!parts.slice(1).every((part) => /^[A-Za-z0-9._-]+$/.test(part))) {
    return no('a part is empty or has characters other than letters, digits, ".", "_" and "-"');
  }
  return { ok: true, value: { prefix: parts.slice(0, -1).join('/'), name } };
}

/** One key-value pair of etcd, read as a backend of `prefix`, or the reason why it is none. */
export function parseBackend(
  prefix: string,
  key: string,
  value: string,
  valueBytes: number,
): Parsed<Backend> {
  const parsedKey = parseKey(key);
  if (!parsedKey.ok) return no(`key: ${parsedKey.reason}`);
  if (parsedKey.value.prefix !== prefix) return no(`key: it is not directly below ${prefix}/`);
  // One byte more for the line break that parseAddress forgives.
  if (valueBytes > maxValueBytes + 2) {
    return no(`value: ${valueBytes} bytes; IP:PORT has at most ${maxValueBytes}`);
  }
  const address = parseAddress(value);
  if (!address.ok) return no(`value: ${address.reason}`);
  return { ok: true, value: { ...address.value, key, name: parsedKey.value.name } };
}
