/**
 * Delivery by a file and a reload. The new text is staged beside the file, checked by nginx while
 * it is being synced, and renamed over the file; then nginx is told to load it. Whatever fails
 * before the rename leaves the file as it was.
 */
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { WorkersWitness } from '../nginx/by-workers.ts';
import type { Committed, ConfigFile } from '../nginx/config-file.ts';
import type { ErrorLog, LogMark } from '../nginx/error-log.ts';
import type { Nginx } from '../nginx/nginx.ts';
import type { Workers } from '../nginx/workers.ts';
import type { Rendered } from '../render/render.ts';
import type { Delivered, Delivery } from './delivery.ts';
import { isRefused } from './refusals.ts';
import type { Rollout, Step } from './rollout.ts';

export interface ReloadDeps {
  readonly file: ConfigFile;
  readonly nginx: Nginx;
  readonly errorLog: ErrorLog;
  readonly clock: Clock;
  /** Told just before nginx is, where only its processes can tell what it serves. */
  readonly witness: Pick<WorkersWitness, 'told'> | undefined;
  /** Told how long nginx's check took. */
  readonly onCheck: (tookMs: number) => void;
}

export function byReload(deps: ReloadDeps): Delivery {
  const { file, nginx, errorLog, clock, witness, onCheck } = deps;
  let beforeReload: LogMark;
  const check = async (signal: AbortSignal) => {
    const beganAtMs = clock.now();
    const verdict = await nginx.check(file.stagedPath, signal);
    onCheck(clock.now() - beganAtMs);
    return verdict;
  };

  /** @returns why the old file still is in place, where it is. */
  const swap = async (
    { text, generation }: Rendered,
    rollout: Rollout,
    signal: AbortSignal,
  ): Promise<Delivered | Swapped> => {
    let step: Step = 'swap';
    try {
      await file.stage(text);
      if (rollout.refusals.has(generation)) {
        const fingerprint = await nginx.fingerprint(file.stagedPath, signal);
        if (isRefused(rollout.refusals, generation, fingerprint, clock.now())) {
          await file.discard();
          return { kind: 'unchanged' };
        }
      }
      const { answer } = rollout;
      const served = answer.kind === 'serves' ? answer.generation : undefined;
      const [verdict, kept] = await Promise.allSettled([check(signal), file.keep(served)]);
      if (verdict.status === 'rejected') throw verdict.reason;
      if (verdict.value.kind !== 'accepted') {
        step = verdict.value.kind === 'refused' ? 'check' : 'swap';
        throw new Error(verdict.value.reason);
      }
      if (kept.status === 'rejected') throw kept.reason;
      // The workers of before: at the same time as the rename, since each takes half a millisecond.
      const [{ durable }, before] = await Promise.all([file.commit(served), nginx.workers()]);
      return { durable, before };
    } catch (error) {
      await file.discard().catch(() => {});
      return { kind: 'failed', step, reason: messageOf(error), atRest: false };
    }
  };

  return {
    faultOf: async ({ text }, signal) => {
      try {
        await file.stage(text);
        const verdict = await check(signal);
        return verdict.kind === 'refused' ? verdict.reason : undefined;
      } finally {
        await file.discard().catch(() => {});
      }
    },

    deliver: async (wanted, rollout, signal) => {
      const swapped =
        rollout.atRest === wanted.generation
          ? { ...inPlace, before: await nginx.workers() }
          : await swap(wanted, rollout, signal);
      if ('kind' in swapped) return swapped;
      const { before } = swapped;
      witness?.told(wanted.generation, before);
      beforeReload = await errorLog.mark();
      const reason = await nginx.reload(signal);
      if (reason !== undefined) return atRest('reload', reason);
      try {
        // nginx need not wait for it; but what a power cut can undo is not done.
        await swapped.durable;
        return { kind: 'told', before };
      } catch (error) {
        return atRest('swap', messageOf(error));
      }
    },

    takeBack: async (served, signal) => {
      const fingerprint = await nginx.fingerprint(file.path, signal);
      const trace = await errorLog.since(beforeReload);
      return { fingerprint, trace, words: await putBack(file, served) };
    },
  };
}

/** A failure after the new file was put in place. */
const atRest = (step: 'swap' | 'reload', reason: string): Delivered => ({
  ...{ kind: 'failed', step, reason, atRest: true },
});

/** The new file is in place; with the workers that take requests before it is loaded. */
interface Swapped extends Committed {
  readonly before: Workers | undefined;
}

const inPlace: Committed = { durable: Promise.resolve() };

/** An nginx that goes on with the old generation must find the old file when it starts again. */
async function putBack(file: ConfigFile, served: string | undefined): Promise<string> {
  if (served === undefined) return '';
  try {
    return (await file.restore(served))
      ? '; the file that it serves is back in place'
      : '; the file that it serves is no longer here to be put back';
  } catch (error) {
    return `; the previous file could not be put back: ${messageOf(error)}`;
  }
}
