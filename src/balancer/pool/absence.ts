/**
 * Absence of knowledge is not knowledge of absence. Pure.
 *
 * One key that goes is believed: the loss of a single backend is always honoured.
 * When two or more, and more than half of all, go within one window, or when etcd
 * turns out to have been wiped or restored, the keys say more about etcd than about
 * the backends: a stall of etcd expires every lease at once. Those backends are held
 * in the pool, asked directly once, and dropped if they do not answer, if they come
 * back by themselves, or when the hold has lasted its time.
 */
import type { Backend } from '../../registry/backend.ts';
import { byKey } from './pool.ts';

export interface AbsenceRule {
  /** Losses this close together are one event. */
  readonly windowMs: number;
  /** How long a backend is held for. */
  readonly holdMs: number;
}

/**
 * A watchdog registers anew at its first probe after the stall: within its interval,
 * timeout and call budget, 3.5 s by default. Three times that leaves room for slower
 * settings. etcd's sweep of expired leases runs every 500 ms.
 */
export const absenceRule: AbsenceRule = { windowMs: 2000, holdMs: 10_000 };

/** Envoy's panic threshold: below half of the pool, the knowledge is doubted. */
const doubtedShare = 0.5;

export interface Absent {
  readonly backend: Backend;
  readonly lostAtMs: number;
  /** Why it stays in the pool; undefined: its loss is believed. */
  readonly heldBecause: string | undefined;
  /** What it said when asked directly; undefined: not asked yet. */
  readonly answers: boolean | undefined;
}

export interface Roster {
  readonly epoch: number;
  readonly present: ReadonlyMap<string, Backend>;
  readonly absent: ReadonlyMap<string, Absent>;
}

export const emptyRoster: Roster = { epoch: 0, present: new Map(), absent: new Map() };

export function foldRoster(
  before: Roster,
  backends: readonly Backend[],
  epoch: number,
  nowMs: number,
  { windowMs, holdMs }: AbsenceRule,
): Roster {
  const present = new Map(backends.map((backend) => [backend.key, backend]));
  const addresses = new Set(backends.map(({ address }) => address));
  const anotherStore = epoch !== before.epoch;
  const absent = new Map<string, Absent>();

  for (const [key, one] of before.absent) {
    if (nowMs - one.lostAtMs < (one.heldBecause ? holdMs : windowMs)) absent.set(key, one);
  }
  for (const [key, backend] of before.present) {
    const heldBecause = anotherStore ? 'etcd was wiped or restored' : undefined;
    absent.set(key, { backend, lostAtMs: nowMs, heldBecause, answers: undefined });
  }
  for (const [key, { backend }] of absent) {
    if (present.has(key) || addresses.has(backend.address)) absent.delete(key);
  }

  const lostTogether = [...absent].filter(([, { lostAtMs }]) => nowMs - lostAtMs < windowMs);
  const all = present.size + lostTogether.length;
  if (lostTogether.length >= 2 && lostTogether.length > all * doubtedShare) {
    const heldBecause = `${lostTogether.length} of ${all} keys went within ${windowMs} ms`;
    for (const [key, one] of lostTogether) {
      if (!one.heldBecause) absent.set(key, { ...one, heldBecause });
    }
  }
  return { epoch, present, absent };
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
  [...absent.values()].filter(isHeld);

/** Held backends that nobody has asked yet. */
export const unaskedOf = (roster: Roster): readonly Absent[] =>
  heldOf(roster).filter(({ answers }) => answers === undefined);

/** What nginx is to serve, by key. */
export function servedOf(roster: Roster): readonly Backend[] {
  const held = heldOf(roster).map(({ backend }) => backend);
  if (held.length === 0) return [...roster.present.values()];
  return [...roster.present.values(), ...held].toSorted(byKey);
}
