/** Rosters as etcd makes them: what it lists at which time, and what records lie beside the keys. */
import {
  type AbsenceRule,
  emptyRoster,
  foldRoster,
  type Roster,
  servedOf,
  type Sighting,
} from '../../src/balancer/pool/absence.ts';
import type { Backend } from '../../src/registry/backend.ts';
import type { WatchdogState } from '../../src/registry/record.ts';
import { backend, recordOf, storedKey } from './builders.ts';

export const rule: AbsenceRule = { windowMs: 2000, holdMs: 10_000, share: 0.5 };
export const a = backend('a', 8001);
export const b = backend('b', 8002);
export const c = backend('c', 8003);
export const all = [a, b, c];

/** etcd at this moment: it answers all the time, unless `listedAtMs` is from before. */
export const sighting = (
  nowMs: number,
  backends: readonly Backend[],
  more: Partial<Sighting> = {},
): Sighting => ({
  ...{ backends, epoch: 0, revision: nowMs, listedAtMs: nowMs, recordOf: () => undefined },
  isOrderedOut: () => false,
  ...more,
});

/** Folds what is listed at each time, from an empty roster. */
export const rosterAfter = (
  ...turns: readonly (readonly [nowMs: number, listed: typeof all, more?: Partial<Sighting>])[]
) =>
  turns.reduce(
    (roster, [nowMs, listed, more]) =>
      foldRoster(roster, sighting(nowMs, listed, more), nowMs, rule),
    emptyRoster,
  );
export const names = (roster: Roster) =>
  servedOf(roster)
    .map(({ name }) => name)
    .join('');

/** The record that the watchdog of `of` left, or moved, at this revision. */
export const recordAt = (revision: number, state: WatchdogState, of = all) => {
  const keys = new Set(of.map(({ key }) => key));
  const value = JSON.stringify(recordOf({ state }));
  const record = storedKey('record', value, { modRevision: revision, leaseId: '7' });
  return { recordOf: (key: string) => (keys.has(key) ? record : undefined) };
};
