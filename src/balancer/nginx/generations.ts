/**
 * How many generations of nginx live at once: the one that serves, and those whose workers
 * are still leaving. Pure. Nobody writes on a worker which generation it is of, so workers
 * that were first seen together are taken for one: a reload forks all of its workers in a
 * burst. Two reloads within one burst count once; a worker that died and was replaced counts as
 * a burst of its own once it is leaving.
 */
import type { Workers } from './workers.ts';

export interface Generations {
  /** undefined: nginx's processes cannot be seen. */
  readonly living: number | undefined;
  readonly master: string | undefined;
  /** Of each worker that lives: the number of the burst in which it was first seen. */
  readonly cohorts: ReadonlyMap<number, number>;
  readonly newest: Cohort;
}

interface Cohort {
  readonly number: number;
  readonly sinceMs: number;
}

/** From the first worker of a reload to its last, as far apart as they may be seen. */
const burstMs = 100;

export const noGenerations: Generations = {
  living: undefined,
  master: undefined,
  cohorts: new Map(),
  newest: { number: 0, sinceMs: Number.NEGATIVE_INFINITY },
};

export function foldGenerations(
  before: Generations,
  workers: Workers | undefined,
  nowMs: number,
): Generations {
  if (workers === undefined) return { ...before, living: undefined };
  const { master, serving, leaving } = workers;
  const isFirstLook = before.master !== master;
  const known = isFirstLook ? noGenerations : before;
  const isNew = (pid: number) => !known.cohorts.has(pid);
  const next = (cohort: Cohort) => ({ number: cohort.number + 1, sinceMs: nowMs });
  const inBurst = nowMs - known.newest.sinceMs <= burstMs;

  // One that is leaving when first seen came and went between two looks: it is older than
  // those that are new with it and serve.
  const leavers = leaving.some(isNew) && !inBurst ? next(known.newest) : known.newest;
  const ownBurst = serving.some(isNew) && (leaving.some(isNew) || !inBurst);
  const servers = ownBurst ? next(leavers) : leavers;
  const cohorts = new Map([
    ...leaving.map((pid) => [pid, known.cohorts.get(pid) ?? leavers.number] as const),
    ...serving.map((pid) => [pid, known.cohorts.get(pid) ?? servers.number] as const),
  ]);

  const cohortOf = (pid: number) => cohorts.get(pid) ?? 0;
  const newestServing = Math.max(...serving.map(cohortOf));
  const isOlder = (cohort: number) => serving.length === 0 || cohort < newestServing;
  const older = new Set(leaving.map(cohortOf).filter(isOlder));
  return {
    living: (serving.length > 0 ? 1 : 0) + older.size,
    master,
    cohorts,
    // What a first look shows was there before, all of it: what comes next is another burst.
    newest: isFirstLook ? { ...servers, sinceMs: Number.NEGATIVE_INFINITY } : servers,
  };
}
