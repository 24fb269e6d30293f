/**
 * One look at nginx: what it would start on, what it answers, and its processes. It never throws:
 * what cannot be seen is a value too.
 */
import type { Look } from './balancer.ts';
import type { WorkersWitness } from './nginx/by-workers.ts';
import type { ConfigFile } from './nginx/config-file.ts';
import type { Nginx } from './nginx/nginx.ts';

/** @param witness answers for nginx, where its file has no place that answers. */
export function lookAt(
  file: Pick<ConfigFile, 'generation'>,
  nginx: Pick<Nginx, 'answer' | 'workers'>,
  witness: WorkersWitness | undefined,
): (signal: AbortSignal) => Promise<Look> {
  return async (signal) => {
    const [atRest, workers, answer] = await Promise.all([
      // A file that cannot be read is not ours: the swap that follows says why in its own words.
      file.generation().catch(() => undefined),
      nginx.workers(),
      witness ? undefined : nginx.answer(signal),
    ]);
    return { atRest, workers, answer: answer ?? witness?.answer(workers) ?? unseen };
  };
}

const unseen = { kind: 'silent', reason: 'nobody was asked' } as const;
