/**
 * Absence of knowledge is not knowledge of absence. Pure.
 *
 * One key that goes is believed: the loss of a single backend is always honoured, and so is any
 * that is explained: its watchdog lives and says that it is down or drained, or an order to drain
 * it stands. When two or more, and more than a share of all, go within one window and nobody
 * says why, or when etcd turns out to have been wiped or restored, the keys say more about etcd
 * than about the backends: a stall of etcd expires every lease at once. Those backends are held
 * in the pool and asked directly once. A held backend is dropped when it does not answer, when
 * it comes back by itself, when its loss is explained, and when the store has spoken again: when
 * a listing asked for after the hold still knows nothing of it. While etcd is away there is no
 * such listing, and the hold goes on.
 *
 * What counts as reflected is never put back: a loss that may yet turn out to be one of many, and
 * be held, is not reflected before it is explained or its window is over.
 */
import type { Backend } from '../../registry/backend.ts';
import { type Explanation, explanationOf, type Explainers } from './explanation.ts';
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
  /** Once there is one, it holds until the key is back. */
  readonly explained: Explanation | undefined;
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
export interface Sighting extends Explainers {
  readonly backends: readonly Backend[];
  readonly epoch: number;
  readonly revision: number;
  /** When the last listing that succeeded was asked for. */
  readonly listedAtMs: number;
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
    if (isOver(one, sighting, nowMs, rule)) continue;
    absent.set(
      key,
      explaining(epoch === before.epoch ? one : ofAnotherStore(one, revision), sighting),
    );
  }
  for (const backend of goneFrom(before.backends, backends)) {
    const lost: Absent = {
      ...{ backend, lostAtMs: nowMs, explained: undefined, answers: undefined },
      ...{ reflectsUpTo: before.revision, provenAfter: before.revision, heldBecause: undefined },
    };
    const heldBecause = 'etcd was wiped or restored';
    const found =
      epoch === before.epoch ? lost : { ...ofAnotherStore(lost, revision), heldBecause };
    absent.set(backend.key, explaining(found, sighting));
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

/** The revisions of two stores have nothing to do with each other. */
const ofAnotherStore = (one: Absent, revision: number): Absent => ({
  ...one,
  ...{ reflectsUpTo: 0, provenAfter: revision },
});

function explaining(one: Absent, sighting: Sighting): Absent {
  const explained = one.explained ?? explanationOf(one.backend.key, one.provenAfter, sighting);
  return explained === one.explained ? one : { ...one, explained, heldBecause: undefined };
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
  const unexplained = lately.filter(({ explained }) => explained === undefined);
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

/** Out of the pool, and held after all if more of them go within the window. */
const mayBeHeld = ({ explained, heldBecause }: Absent) =>
  explained === undefined && heldBecause === undefined;

/**
 * The revision up to which every change shows in what is served, and goes on to. A held backend's
 * deletion does not show; that of one that may be held yet might not go on to.
 */
export function reflectedBy(roster: Roster, { share }: Pick<AbsenceRule, 'share'>): number {
  let least = roster.revision;
  for (const one of roster.absent.values()) {
    const isOpen = isHeld(one) || (share < 1 && mayBeHeld(one));
    if (isOpen) least = Math.min(least, one.reflectsUpTo);
  }
  return least;
}

/** Has a backend gone within the last `withinMs` that may yet turn out to be one of many? */
export const mayBeOneOfMany = ({ absent }: Roster, nowMs: number, withinMs: number): boolean =>
  [...absent.values()].some((one) => mayBeHeld(one) && nowMs - one.lostAtMs < withinMs);
