/**
 * Keeps the last good pools on disk, for a start without etcd: what nginx has been seen to serve,
 * as etcd told it. One write at a time, beside the loop; the next turn of the loop sees to what came
 * meanwhile. A disk that is slow or full holds up nothing else.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Notices } from '../lib/log.ts';
import type { Turn } from './balancer.ts';
import type { Target } from './rollout/plan.ts';
import type { Remembered } from './pool/census.ts';
import { readSavedPool, type SavedPool, writeSavedPool } from './pool/saved-pool.ts';
import type { Service } from '../options/service.ts';

export interface Keeper {
  readonly onTurn: (turn: Turn) => void;
  /** Settles when nothing is being written any more. */
  readonly written: () => Promise<void>;
}

/** What could not be written is tried again, not at every turn. */
const retryMs = 30_000;

/** @param remembered what is on disk already, by service. */
export function poolKeeper(
  path: string,
  remembered: readonly (Remembered | undefined)[] | undefined,
  clock: Clock,
  notices: Notices,
): Keeper {
  let kept: Target['rendered'] | undefined;
  let isFirst = true;
  let writing: Promise<void> | undefined;
  let notBeforeMs = Number.NEGATIVE_INFINITY;

  const write = async (target: Target) => {
    try {
      await writeSavedPool(path, savedPool(target, clock.date()));
      kept = target.rendered;
      notices.clear('state', 'the pool can be kept on disk again', { path });
    } catch (error) {
      notBeforeMs = clock.now() + retryMs;
      const text = `the pool could not be kept on disk: ${messageOf(error)}`;
      notices.tell('state', 'warn', text, { path });
    } finally {
      writing = undefined;
    }
  };

  return {
    onTurn: ({ decision, target }) => {
      if (decision.kind !== 'confirmed' || !target || target.rendered === kept) return;
      if (target.censuses.some(({ source }) => source !== 'etcd')) return;
      if (isFirst && isKept(remembered, target)) kept = target.rendered;
      else if (!writing && clock.now() >= notBeforeMs) writing = write(target);
      isFirst = false;
    },
    written: async () => await writing,
  };
}

const isKept = (
  remembered: readonly (Remembered | undefined)[] | undefined,
  { censuses, served }: Target,
) =>
  censuses.every(({ clusterId, roster }, n) => {
    const one = remembered?.[n];
    return (
      one?.clusterId === clusterId &&
      one.revision <= roster.revision &&
      isDeepStrictEqual(one.backends, served[n]?.backends)
    );
  });

const savedPool = ({ censuses, served }: Target, at: Date): SavedPool => ({
  savedAt: at.toISOString(),
  services: censuses.map(({ service: { name, prefix }, clusterId, roster }, n) => ({
    ...{ name, prefix, clusterId, revision: roster.revision },
    backends: served[n]?.backends ?? [],
  })),
});

/**
 * By service; undefined of one whose prefix was not kept.
 * @returns undefined where nothing was kept that can be used, or nothing of these services.
 */
export async function rememberedPools(
  path: string,
  services: readonly Service[],
  notices: Notices,
): Promise<readonly (Remembered | undefined)[] | undefined> {
  const read = await readSavedPool(path);
  if (read === undefined) return undefined;
  if (!read.ok) {
    notices.news('warn', `the pool that was kept on disk cannot be used: ${read.reason}`, { path });
    return undefined;
  }
  const kept = services.map(({ prefix }) =>
    read.value.services.find((one) => one.prefix === prefix),
  );
  return kept.every((one) => one === undefined) ? undefined : kept;
}
