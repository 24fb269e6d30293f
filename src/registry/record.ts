/**
 * The record beside a key: what the watchdog that holds the key is, and what it sees.
 * Pure. It lies outside the prefix that holds the backends, on a lease of the watchdog,
 * so that it outlives the key that was deleted on a verdict, and nothing outlives the
 * watchdog: a reader can tell *proven down* from *unknown*.
 *
 *   key    RECORD_PREFIX/watchdogs/PREFIX/NAME
 *   value  a JSON object of the fields below, at most 4096 bytes
 *
 * Whatever is read from it can be shown on one line of a terminal. Fields that are not
 * known here are ignored; those that are known are read strictly. Of a greater format nothing is
 * read, so that it proves nothing.
 */
import { printable } from '../lib/printable.ts';
import { type Parsed, parseAddress } from './backend.ts';
import { format, readableFormat } from './format.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from './json-object.ts';
import type { StoredKey } from './store.ts';

export const watchdogStates = ['starting', 'up', 'failing', 'down', 'rising'] as const;
export type WatchdogState = (typeof watchdogStates)[number];

export interface WatchdogRecord {
  /** A new one for each process. */
  readonly instance: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** HOST:PORT of its admin server. */
  readonly admin: string | null;
  /** Of the backend, as IP:PORT. */
  readonly address: string;
  /** What it asks, as an operator would write it. */
  readonly probe: string;
  readonly state: WatchdogState;
  /** ISO 8601 in UTC: when the state was entered. */
  readonly since: string;
  /** Of the last failing probe. */
  readonly reason: string | null;
  /** The key is let go on purpose, however the backend is; null: it is not. */
  readonly drain: RecordedDrain | null;
}

export interface RecordedDrain {
  /** `operator`: for as long as the order stands; `shutdown`: this watchdog is ending. */
  readonly by: string;
  /** ISO 8601 in UTC. */
  readonly since: string;
}

/** In characters. All of them at once, each of four bytes, are less than what is kept of a value. */
const maxChars = { name: 64, admin: 128, probe: 300, reason: 200 } as const;

/** @param recordPrefix without its closing slash. */
export const recordKey = (recordPrefix: string, key: string) => `${recordPrefix}/watchdogs${key}`;

/** One text for equal records, with the fields in this order; texts that are too long are cut. */
export function formatRecord(record: WatchdogRecord): string {
  const { instance, host, pid, version, admin, address, probe, state, since, reason } = record;
  const { drain } = record;
  return JSON.stringify({
    format,
    instance: printable(instance, maxChars.name),
    host: printable(host, maxChars.name),
    pid,
    version: printable(version, maxChars.name),
    admin: admin === null ? null : printable(admin, maxChars.admin),
    address,
    probe: printable(probe, maxChars.probe),
    state,
    since,
    reason: reason === null ? null : printable(reason, maxChars.reason),
    drain: drain && { by: printable(drain.by, maxChars.name), since: drain.since },
  });
}

export function parseRecord(text: string): Parsed<WatchdogRecord> {
  const object = parseJsonObject(text);
  if (!object.ok) return object;
  const readable = readableFormat(object.value);
  if (!readable.ok) return readable;
  try {
    return { ok: true, value: recordFrom(object.value) };
  } catch (error) {
    if (!(error instanceof BadField)) throw error;
    return { ok: false, reason: error.message };
  }
}

/** What a reader may conclude about the backend of a key, from the key and the record beside it. */
export type Verdict = 'registered' | 'proven down' | 'drained' | 'unknown';

/**
 * A record without a lease vouches for nothing: it was put by hand, and its watchdog may be
 * long gone.
 */
export function verdictOn(key: StoredKey | undefined, record: StoredKey | undefined): Verdict {
  if (key) return 'registered';
  if (!record || record.leaseId === '0') return 'unknown';
  const parsed = parseRecord(record.value);
  if (!parsed.ok) return 'unknown';
  if (parsed.value.drain) return 'drained';
  return parsed.value.state === 'down' || parsed.value.state === 'rising'
    ? 'proven down'
    : 'unknown';
}

class BadField extends Error {}

function recordFrom(object: JsonObject): WatchdogRecord {
  const text = (name: keyof WatchdogRecord, most: number): string => {
    const value = object[name];
    if (typeof value !== 'string') throw new BadField(`its "${name}" is no text`);
    return printable(value, most);
  };
  const textOrNull = (name: keyof WatchdogRecord, most: number) =>
    object[name] === null ? null : text(name, most);
  const { pid } = object;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) {
    throw new BadField('its "pid" is no process id');
  }
  const address = parseAddress(text('address', maxChars.name));
  if (!address.ok) throw new BadField(`its "address": ${address.reason}`);
  const state = watchdogStates.find((one) => one === object['state']);
  if (!state) throw new BadField(`its "state" is none of ${watchdogStates.join(', ')}`);
  const since = text('since', maxChars.name);
  if (!isTime(since)) throw new BadField(`its "since" is no time such as ${sampleTime}`);
  return {
    instance: text('instance', maxChars.name),
    host: text('host', maxChars.name),
    pid,
    version: text('version', maxChars.name),
    admin: textOrNull('admin', maxChars.admin),
    address: address.value.address,
    probe: text('probe', maxChars.probe),
    state,
    since,
    reason: textOrNull('reason', maxChars.reason),
    drain: drainFrom(object['drain']),
  };
}

/** Watchdogs from before there were drains say nothing of them. */
function drainFrom(value: unknown): RecordedDrain | null {
  if (value === undefined || value === null) return null;
  if (!isJsonObject(value)) throw new BadField('its "drain" is neither null nor an object');
  const { by, since } = value;
  if (typeof by !== 'string') throw new BadField('its "drain" does not say by whom');
  if (typeof since !== 'string' || !isTime(since)) {
    throw new BadField(`its "drain" is not since a time such as ${sampleTime}`);
  }
  return { by: printable(by, maxChars.name), since };
}

const sampleTime = '2026-01-31T12:00:00.000Z';

const isTime = (text: string) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text) && !Number.isNaN(Date.parse(text));
