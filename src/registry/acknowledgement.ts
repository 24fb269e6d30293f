/**
 * What a balancer has seen nginx serve: the acknowledgement that it keeps in etcd for each of its
 * prefixes. Pure. It lies on a lease of the balancer's own, so whoever is listed is alive. It
 * is there from the start, with revision 0 until something is confirmed: an nginx whose balancer
 * has confirmed nothing yet may serve anything.
 *
 *   key    RECORD_PREFIX/balancers/PREFIX/INSTANCE
 *   value  a JSON object of the fields below, at most 4096 bytes
 *
 * It changes with what it says and never else. Fields that are not known here are ignored. One of a
 * greater format is somebody who is alive, and has confirmed nothing that can be read here.
 */
import { printable } from '../lib/printable.ts';
import type { Parsed } from './backend.ts';
import { format, readableFormat } from './format.ts';
import { type JsonObject, parseJsonObject } from './json-object.ts';
import type { StoredKey } from './store.ts';

export interface Acknowledgement {
  /** A new one for each process. */
  readonly instance: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** HOST:PORT of its admin server. */
  readonly admin: string | null;
  readonly service: string;
  /** The store that the revision is one of: a restored or another one counts anew. */
  readonly cluster: string;
  /**
   * Every change of the prefix up to this revision shows in what nginx serves, and nothing older
   * takes requests any more. It moves only when the prefix changes.
   */
  readonly revision: number;
  /** Of nginx, that reflects it; null: none was confirmed yet. */
  readonly generation: string | null;
  /**
   * Older generations of nginx still live, to finish what they have begun; null: nginx's
   * processes cannot be seen.
   */
  readonly olderLive: boolean | null;
  /**
   * Names of keys that pass the grammar and that nginx is not given all the same: quarantined, or a
   * second key with one address. As many as have room; empty in what older balancers write.
   */
  readonly omits: readonly string[];
  /** There are more of them than are named. */
  readonly omitsMore: boolean;
}

const maxNameChars = 64;

/** So that the whole, at its longest, is less than what is kept of a value. */
const maxOmitsChars = 2048;

/** Those of all balancers of a prefix lie below; neither has a closing slash. */
export const acknowledgementsBelow = (recordPrefix: string, prefix: string) =>
  `${recordPrefix}/balancers${prefix}`;

/** Of what lies below there, those of this prefix: deeper ones are of another that lies below it. */
export const acknowledgementsIn = (below: string, stored: readonly StoredKey[]) =>
  stored.filter(({ key }) => !key.slice(below.length + 1).includes('/'));

/** @param prefix of the service; without its closing slash, as `recordPrefix`. */
export const acknowledgementKey = (recordPrefix: string, prefix: string, instance: string) =>
  `${acknowledgementsBelow(recordPrefix, prefix)}/${instance}`;

/** One text for equal acknowledgements, with the fields in this order. */
export function formatAcknowledgement(said: Acknowledgement): string {
  const { instance, host, pid, version, admin, service } = said;
  const { cluster, revision, generation, olderLive } = said;
  const omits = thatHaveRoom(said.omits);
  return JSON.stringify({
    format,
    instance: printable(instance, maxNameChars),
    host: printable(host, maxNameChars),
    pid,
    version: printable(version, maxNameChars),
    admin: admin === null ? null : printable(admin, 2 * maxNameChars),
    service: printable(service, maxNameChars),
    cluster: printable(cluster, maxNameChars),
    revision,
    generation,
    olderLive,
    omits,
    omitsMore: said.omitsMore || omits.length < said.omits.length,
  });
}

/** Names of keys are of ASCII that JSON writes as it is. */
function thatHaveRoom(names: readonly string[]): readonly string[] {
  let chars = 0;
  const end = names.findIndex((name) => (chars += name.length + 3) > maxOmitsChars);
  return end === -1 ? names : names.slice(0, end);
}

const no = (field: string, what: string) =>
  ({ ok: false, reason: `its "${field}" is ${what}` }) as const;

export function parseAcknowledgement(text: string): Parsed<Acknowledgement> {
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return parsed;
  const object = parsed.value;
  const readable = readableFormat(object);
  if (!readable.ok) return readable;
  const { pid, revision, generation, olderLive } = object;
  for (const field of ['instance', 'host', 'version', 'service', 'cluster']) {
    if (typeof object[field] !== 'string') return no(field, 'no text');
  }
  if (!isWhole(pid, 1)) return no('pid', 'no process id');
  if (!isWhole(revision, 0)) return no('revision', 'no revision');
  if (generation !== null && !isGeneration(generation)) return no('generation', 'no generation');
  if (olderLive !== null && typeof olderLive !== 'boolean') {
    return no('olderLive', 'neither true, false nor null');
  }
  const { admin, omits = [], omitsMore = false } = object;
  if (!Array.isArray(omits) || !omits.every((name) => typeof name === 'string')) {
    return no('omits', 'no list of names');
  }
  if (typeof omitsMore !== 'boolean') return no('omitsMore', 'neither true nor false');
  return {
    ok: true,
    value: {
      ...texts(object),
      ...{ pid, revision, generation, olderLive, omits, omitsMore },
      admin: typeof admin === 'string' ? printable(admin, 2 * maxNameChars) : null,
    },
  };
}

/** "lb1 (pid 7)": whom an operator would look for; of any format, and undefined where it does not say. */
export function speakerOf(text: string): string | undefined {
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return undefined;
  const { host, pid } = parsed.value;
  if (typeof host !== 'string' || host === '' || !isWhole(pid, 1)) return undefined;
  return `${printable(host, maxNameChars)} (pid ${pid})`;
}

const isGeneration = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{12}$/.test(value);

const isWhole = (value: unknown, least: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= least;

function texts(object: JsonObject) {
  const text = (field: string) => printable(String(object[field]), maxNameChars);
  return {
    ...{ instance: text('instance'), host: text('host'), version: text('version') },
    ...{ service: text('service'), cluster: text('cluster') },
  };
}
