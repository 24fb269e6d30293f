/**
 * Absence of knowledge is not knowledge of absence. Pure.
 *
 * One key that goes is believed: the loss of a single backend is always honoured, and so is
 * the loss of any whose watchdog lives and says that it is down (*proven down*). When two or
 * more, and more than a share of all, go within one window and nobody says why, or when etcd
 * turns out to have been wiped or restored, the keys say more about etcd than about the
 * backends: a stall of etcd expires every lease at once. Those backends are held in the
 * pool and asked directly once. A held backend is dropped when it does not answer, when it
 * comes back by itself, when its watchdog proves it down, and when the store has spoken
 * again: when a listing asked for after the hold still knows nothing of it. While etcd is
 * away there is no such listing, and the hold goes on.
 */
import type { Backend } from '../../registry/backend.ts';
import { verdictOn } from '../../registry/record.ts';
import type { StoredKey } from '../../registry/store.ts';
import { byKey } from './pool.ts';

export interface AbsenceRule {
  /** Losses this close together are one event. */
  readonly windowMs: number;
  /** How long a backend is held for, at least, while etcd answers. */
  readonly holdMs: number;
  /** 0 to 1: more of the backends than this, gone at once, is doubted. */
  readonly share: number;
}

/** etcd looks for expired leases every 500 ms, and ends thousands of them one after the other. */
export const lossWindowMs = 2000;

export interface Absent {
  readonly backend: Backend;
  readonly lostAtMs: number;
  /** Up to this revision of the store nothing tells of the loss. */
  readonly reflectsUpTo: number;
  /** A record proves it only if it is newer: an older one tells of an earlier time. */
  readonly provenAfter: number;
  /** Its watchdog said so; once said, it holds until the key is back. */
  readonly provenDown: boolean;
  /** Why it stays in the pool; undefined: its loss is believed. */
  readonly heldBecause: string | undefined;
  /** What it said when asked directly; undefined: not asked yet. */
  readonly answers: boolean | undefined;
}

export interface Roster {
  readonly epoch: number;
  /** Of the store, at the last look. */
  readonly revision: number;
  /** Those whose keys are there, in the order of the keys. */
  readonly backends: readonly Backend[];
  readonly absent: ReadonlyMap<string, Absent>;
}

export const emptyRoster: Roster = { epoch: 0, revision: 0, backends: [], absent: new Map() };

/** What etcd says now. */
export interface Sighting {
  readonly backends: readonly Backend[];
  readonly epoch: number;
  readonly revision: number;
  /** When the last listing that succeeded was asked for. */
  readonly listedAtMs: number;
  /** The record beside a key. */
  readonly recordOf: (key: string) => StoredKey | undefined;
}

export function foldRoster(
  before: Roster,
  sighting: Sighting,
  nowMs: number,
  rule: AbsenceRule,
): Roster {
  const { backends, epoch, revision } = sighting;
  if (epoch === before.epoch && backends === before.backends && before.absent.size === 0) {
    return revision === before.revision ? before : { ...before, revision };
  }
  const absent = new Map<string, Absent>();
  for (const [key, one] of before.absent) {
    if (!isOver(one, sighting, nowMs, rule)) absent.set(key, proving(one, sighting));
  }
  for (const backend of goneFrom(before.backends, backends)) {
    const lost: Absent = {
      ...{ backend, lostAtMs: nowMs, provenDown: false, answers: undefined },
      // The revisions of two stores have nothing to do with each other.
      ...(epoch === before.epoch
        ? { reflectsUpTo: before.revision, provenAfter: before.revision, heldBecause: undefined }
        : { reflectsUpTo: 0, provenAfter: revision, heldBecause: 'etcd was wiped or restored' }),
    };
    absent.set(backend.key, proving(lost, sighting));
  }
  if (absent.size > 0) forgetReturned(absent, backends);
  holdTheDoubtful(absent, backends.length, nowMs, rule);
  return { epoch, revision, backends, absent };
}

/** Those whose keys are no longer there. Both in the order of the keys. */
function goneFrom(before: readonly Backend[], now: readonly Backend[]): readonly Backend[] {
  let n = 0;
  return before.filter((old) => {
    for (let next = now[n]; next && next.key < old.key; next = now[n]) n += 1;
    return now[n]?.key !== old.key;
  });
}

function isOver(
  { lostAtMs, heldBecause }: Absent,
  { listedAtMs }: Sighting,
  nowMs: number,
  { windowMs, holdMs }: AbsenceRule,
): boolean {
  return heldBecause === undefined ? nowMs - lostAtMs >= windowMs : listedAtMs - lostAtMs >= holdMs;
}

/**
 * On a verdict the record is written in the transaction that deletes the key, so it is newer than
 * the last look at which the key was there.
 */
function proving(one: Absent, { recordOf }: Sighting): Absent {
  const record = recordOf(one.backend.key);
  if (!record || record.modRevision <= one.provenAfter) return one;
  if (verdictOn(undefined, record) !== 'proven down') return one;
  return { ...one, provenDown: true, heldBecause: undefined };
}

/** Under its own key, or at its address under another one. */
function forgetReturned(absent: Map<string, Absent>, backends: readonly Backend[]): void {
  const keyByAddress = new Map([...absent].map(([key, { backend }]) => [backend.address, key]));
  for (const { key, address } of backends) {
    absent.delete(key);
    absent.delete(keyByAddress.get(address) ?? key);
  }
}

function holdTheDoubtful(
  absent: Map<string, Absent>,
  presentCount: number,
  nowMs: number,
  { windowMs, share }: AbsenceRule,
): void {
  const lately = [...absent.values()].filter(({ lostAtMs }) => nowMs - lostAtMs < windowMs);
  const unexplained = lately.filter(({ provenDown }) => !provenDown);
  const all = presentCount + lately.length;
  if (unexplained.length < 2 || unexplained.length <= all * share) return;
  const heldBecause = `${unexplained.length} of ${all} keys went within ${windowMs} ms, unexplained`;
  for (const one of unexplained) {
    if (one.heldBecause === undefined) absent.set(one.backend.key, { ...one, heldBecause });
  }
}

/** Records what a held backend said when it was asked directly. */
export function recordAnswer(roster: Roster, key: string, answers: boolean): Roster {
  const one = roster.absent.get(key);
  if (!one) return roster;
  return { ...roster, absent: new Map(roster.absent).set(key, { ...one, answers }) };
}

const isHeld = ({ heldBecause, answers }: Absent) => heldBecause !== undefined && answers !== false;

/** Held backends: in the pool although their keys are gone. */
export const heldOf = ({ absent }: Roster): readonly Absent[] =>
  absent.size === 0 ? [] : [...absent.values()].filter(isHeld);

/** Held backends that nobody has asked yet. */
export const unaskedOf = (roster: Roster): readonly Absent[] =>
  heldOf(roster).filter(({ answers }) => answers === undefined);

/** What nginx is to serve, by key; the very same array while nobody is held. */
export function servedOf(roster: Roster): readonly Backend[] {
  const held = heldOf(roster).map(({ backend }) => backend);
  return held.length === 0 ? roster.backends : [...roster.backends, ...held].toSorted(byKey);
}

/**
 * The revision up to which every change shows in what is served. A held backend's deletion
 * does not show.
 */
export const reflectedBy = (roster: Roster): number =>
  heldOf(roster).reduce(
    (least, { reflectsUpTo }) => Math.min(least, reflectsUpTo),
    roster.revision,
  );

/** Has a backend gone within the last `withinMs` that may yet turn out to be one of many? */
export const mayBeOneOfMany = ({ absent }: Roster, nowMs: number, withinMs: number): boolean =>
  [...absent.values()].some(
    ({ lostAtMs, provenDown, heldBecause }) =>
      !provenDown && heldBecause === undefined && nowMs - lostAtMs < withinMs,
  );
