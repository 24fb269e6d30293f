/**
 * The contract between watchdog and balancer: how a backend is written in etcd.
 * Pure, and the only place that knows the grammar; both sides use it. Whatever passes
 * it can stand in nginx.conf as a server's address and weight, and can be nothing else
 * there.
 *
 *   key    /PREFIX/NAME    parts of [A-Za-z0-9._-], as `etcdctl put` and confd have them
 *   value  IPv4:PORT or [IPv6]:PORT, plain text; or, with metadata, a JSON object:
 *          {"address":"172.17.8.101:8001","weight":5,"meta":{"zone":"a"}}
 *
 * Fields of the object that are not known here are ignored, so that a newer watchdog
 * takes no backend out; those that are known are read strictly.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { isJsonObject, parseJsonObject } from './json-object.ts';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

export interface Address {
  /** As nginx and confd take it, in canonical form: IPv6 in brackets. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
}

/** What a value says, whichever of the two forms it has. */
export interface BackendValue extends Address {
  /** Its share of the requests beside the others', 1 to 1000; 1 where the value has none. */
  readonly weight: number;
  /** By name; empty where the value has none. */
  readonly meta: Readonly<Record<string, string>>;
}

export interface Backend extends BackendValue {
  readonly key: string;
  /** The last part of the key. */
  readonly name: string;
}

/** A longer plain value is set aside unread: "[" + 45 characters of IPv6 + "]:65535" is 53. */
export const maxPlainBytes = 64;

/** A longer JSON value is set aside unread. */
export const maxJsonBytes = 2048;

export const maxWeight = 1000;
export const maxMetaEntries = 16;

const maxKeyChars = 256;

const no = (reason: string) => ({ ok: false, reason }) as const;

const nobodyThere = 'it is an address at which no server can be reached';

/** Accepts one line break at the end, since `echo ... | etcdctl put` leaves one. */
export function parseAddress(text: string): Parsed<Address> {
  const trimmed = text.replace(/\r?\n$/, '');
  if (trimmed === '') return no('it is empty');
  if (trimmed.length > maxPlainBytes) return no(`it is longer than ${maxPlainBytes} characters`);
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
    if (host === '::' || /^ff[0-9a-f]{2}:/.test(host)) return no(nobodyThere);
    return { ok: true, value: { address: `[${host}]:${port}`, host, port } };
  }
  if (isIPv4(other ?? '')) {
    const firstByte = Number.parseInt(other ?? '', 10);
    if (firstByte === 0 || firstByte >= 224) return no(nobodyThere);
    return { ok: true, value: { address: `${other}:${port}`, host: other ?? '', port } };
  }
  return /^[A-Za-z][A-Za-z0-9.-]*$/.test(other ?? '')
    ? no(
        'it is a name: nginx refuses its whole file when one name does not resolve, so write an IP',
      )
    : no('it is not IP:PORT');
}

/** @returns undefined when both may stand in metadata, else what is accepted of the one that may not. */
export function metaFault(name: string, value: string): string | undefined {
  // As a name of a plain object this one is no name: a reader that copies it would lose it.
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name) || name === '__proto__') {
    return 'a name is 1 to 64 letters, digits, ".", "_" and "-"';
  }
  return /^[A-Za-z0-9._:/@-]{0,128}$/.test(value)
    ? undefined
    : 'a value is at most 128 letters, digits and "._:/@-"';
}

/**
 * The value to write: plain text where the address is all there is, else JSON. The same
 * parts are always the same text.
 */
export function formatValue(value: {
  readonly address: string;
  readonly weight?: number | undefined;
  readonly meta?: Readonly<Record<string, string>> | undefined;
}): string {
  const { address, weight, meta = {} } = value;
  const names = Object.keys(meta);
  if (weight === undefined && names.length === 0) return address;
  return JSON.stringify({
    address,
    ...(weight !== undefined && { weight }),
    ...(names.length > 0 && { meta: sortedByName(meta) }),
  });
}

/** @param valueBytes the true length, of which `text` may be the beginning. */
export function parseValue(text: string, valueBytes: number): Parsed<BackendValue> {
  // JSON's own white space, and no other.
  const isJson = /^[ \t\r\n]*\{/.test(text);
  if (isJson && valueBytes > maxJsonBytes) {
    return no(`${valueBytes} bytes; a JSON value has at most ${maxJsonBytes}`);
  }
  // Two bytes more for the line break that parseAddress forgives.
  if (!isJson && valueBytes > maxPlainBytes + 2) {
    return no(`${valueBytes} bytes; IP:PORT has at most ${maxPlainBytes}`);
  }
  if (isJson) return parseJsonValue(text);
  const parsed = parseAddress(text);
  return parsed.ok ? { ok: true, value: { ...parsed.value, weight: 1, meta: {} } } : parsed;
}

function parseJsonValue(text: string): Parsed<BackendValue> {
  const object = parseJsonObject(text);
  if (!object.ok) return object;
  const { address, weight = 1, meta = {} } = object.value;
  if (typeof address !== 'string') return no('it is JSON without an "address" that is text');
  const parsed = parseAddress(address);
  if (!parsed.ok) return no(`its "address": ${parsed.reason}`);
  if (
    typeof weight !== 'number' ||
    !(Number.isInteger(weight) && weight >= 1 && weight <= maxWeight)
  ) {
    return no(`its "weight" is not a whole number from 1 to ${maxWeight}`);
  }
  if (!isTexts(meta)) return no('its "meta" is not an object whose values are text');
  const entries = Object.entries(meta);
  if (entries.length > maxMetaEntries)
    return no(`its "meta" has more than ${maxMetaEntries} names`);
  for (const [name, one] of entries) {
    const fault = metaFault(name, one);
    if (fault !== undefined) return no(`its "meta": ${fault}`);
  }
  return { ok: true, value: { ...parsed.value, weight, meta: sortedByName(meta) } };
}

const isTexts = (meta: unknown): meta is Readonly<Record<string, string>> =>
  isJsonObject(meta) && Object.values(meta).every((one) => typeof one === 'string');

const sortedByName = (meta: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(meta).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** @returns the key's prefix (all but the last part) and its name (the last part). */
export function parseKey(key: string): Parsed<{ readonly prefix: string; readonly name: string }> {
  if (key.length > maxKeyChars) return no(`it is longer than ${maxKeyChars} characters`);
  const parts = key.split('/');
  if (parts[0] !== '') return no('it does not begin with /');
  if (parts.length < 3) return no('it is outside any prefix');
  if (!parts.slice(1).every((part) => /^[A-Za-z0-9._-]+$/.test(part))) {
    return no('a part is empty or has characters other than letters, digits, ".", "_" and "-"');
  }
  return { ok: true, value: splitKey(key) };
}

/** Of a key that is known to pass the grammar, or to lie below a prefix: what is before and after its last slash. */
export function splitKey(key: string): { readonly prefix: string; readonly name: string } {
  const slash = key.lastIndexOf('/');
  return { prefix: key.slice(0, slash), name: key.slice(slash + 1) };
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
  const parsed = parseValue(value, valueBytes);
  if (!parsed.ok) return no(`value: ${parsed.reason}`);
  return { ok: true, value: { ...parsed.value, key, name: parsedKey.value.name } };
}
