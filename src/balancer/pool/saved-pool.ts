/**
 * The last good pool on disk, for a start without etcd. What is read from it has passed the
 * same grammar as what is read from etcd, or the file is not used at all; a write that fails
 * leaves the one before it.
 */
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, messageOf } from '../../lib/errors.ts';
import { stageFile, syncDirectory } from '../../lib/staged-file.ts';
import { explaining } from '../../lib/write-failure.ts';
import { type Backend, formatValue, type Parsed, parseBackend } from '../../registry/backend.ts';
import { isJsonObject } from '../../registry/json-object.ts';

export interface SavedPool {
  /** By the wall clock, as ISO 8601. */
  readonly savedAt: string;
  readonly services: readonly SavedService[];
}

export interface SavedService {
  readonly name: string;
  readonly prefix: string;
  /** Of the etcd that the backends are from, and its revision then. */
  readonly clusterId: string;
  readonly revision: number;
  readonly backends: readonly Backend[];
}

/** A later version may mean something else by the same names. */
const version = 1;

/** 100,000 backends with some metadata each are 13 MB. */
const maxBytes = 64 * 1024 * 1024;

const fileMode = 0o640;

const no = (reason: string) => ({ ok: false, reason }) as const;

/** Keys and values as etcd has them, since those are the contract: `{"rollcall":1,...}`. */
export function formatSavedPool({ savedAt, services }: SavedPool): string {
  const written = services.map(({ backends, ...service }) => ({
    ...service,
    backends: backends.map((one) => [one.key, valueOf(one)] as const),
  }));
  return `${JSON.stringify({ rollcall: version, savedAt, services: written })}\n`;
}

const valueOf = ({ address, weight, meta }: Backend) =>
  formatValue({ address, meta, weight: weight === 1 ? undefined : weight });

export function parseSavedPool(text: string): Parsed<SavedPool> {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    return no('it is not JSON');
  }
  if (!isJsonObject(object)) return no('it is not a JSON object');
  const { rollcall, savedAt, services } = object;
  if (rollcall !== version) {
    return no(`it is not of version ${version}, but of ${JSON.stringify(rollcall) ?? 'none'}`);
  }
  if (typeof savedAt !== 'string' || Number.isNaN(Date.parse(savedAt))) {
    return no('its "savedAt" is no time');
  }
  if (!Array.isArray(services)) return no('its "services" is no list');
  const read: SavedService[] = [];
  for (const one of services) {
    const service = parseService(one);
    if (!service.ok) return service;
    read.push(service.value);
  }
  return { ok: true, value: { savedAt, services: read } };
}

function parseService(one: unknown): Parsed<SavedService> {
  if (!isJsonObject(one)) return no('one of its "services" is no object');
  const { name, prefix, clusterId, revision, backends } = one;
  if (typeof name !== 'string' || typeof prefix !== 'string' || typeof clusterId !== 'string') {
    return no('one of its "services" has no name, prefix or clusterId that is text');
  }
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 0) {
    return no(`service ${JSON.stringify(name)}: its "revision" is no whole number`);
  }
  if (!Array.isArray(backends)) {
    return no(`service ${JSON.stringify(name)}: its "backends" is no list`);
  }
  const read: Backend[] = [];
  for (const pair of backends as readonly unknown[]) {
    const [key, value]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof key !== 'string' || typeof value !== 'string') {
      return no(`service ${JSON.stringify(name)}: one of its "backends" is no key and value`);
    }
    const backend = parseBackend(prefix, key, value, Buffer.byteLength(value));
    if (!backend.ok) return no(`service ${JSON.stringify(name)}: ${backend.reason}`);
    read.push(backend.value);
  }
  return { ok: true, value: { name, prefix, clusterId, revision, backends: read } };
}

/** @returns undefined when there is none, else the pool or why the file is of no use. */
export async function readSavedPool(path: string): Promise<Parsed<SavedPool> | undefined> {
  try {
    // A pipe would be waited for.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return no(`${path}: it is no file`);
    if (stats.size > maxBytes) return no(`${path}: ${stats.size} bytes; at most ${maxBytes}`);
    const parsed = parseSavedPool(await file.readFile('utf8'));
    return parsed.ok ? parsed : no(`${path}: ${parsed.reason}`);
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : no(`${path}: ${messageOf(error)}`);
  }
}

/** One at a time. @throws CodedError with the reason, the file as it was. */
export async function writeSavedPool(path: string, pool: SavedPool): Promise<void> {
  const directory = dirname(path);
  const stagedPath = join(directory, `.${basename(path)}.rollcall-staged`);
  await explaining(path, async () => {
    const staged = await stageFile(stagedPath, formatSavedPool(pool), fileMode);
    try {
      await staged.synced;
      await rename(stagedPath, path);
    } catch (error) {
      await rm(stagedPath, { force: true });
      throw error;
    }
    await syncDirectory(directory);
  });
}
