/**
 * One look at nginx: what it would start on, what it answers, and its processes. It never throws:
 * what cannot be seen is a value too.
 */
import type { Look } from './balancer.ts';
import type { NginxAnswer } from './nginx/answer.ts';
import type { WorkersWitness } from './nginx/by-workers.ts';
import type { ConfigFile } from './nginx/config-file.ts';
import type { Nginx } from './nginx/nginx.ts';
import type { Workers } from './nginx/workers.ts';

/** @param witness answers for nginx, where its file has no place that answers. */
export function lookAt(
  file: Pick<ConfigFile, 'generation'>,
  nginx: Pick<Nginx, 'answer' | 'workers'>,
  witness: WorkersWitness | undefined,
): (signal: AbortSignal) => Promise<Look> {
  return async (signal) => {
    // A file that cannot be read is not ours: the swap that follows says why in its own words.
    const generation = file.generation().catch(() => undefined);
    if (witness) {
      const workers = await nginx.workers();
      return { atRest: await generation, workers, answer: witness.answer(workers) };
    }
    const answer = await nginx.answer(signal);
    // Only now: one that has just been forked may be the one that answered.
    const workers = vouched(await nginx.workers(), answer);
    return { atRest: await generation, workers, answer };
  };
}

/**
 * The pid file may be of another pid namespace, and its number by chance that of another nginx: the
 * processes are those of our nginx if the one that answered is among them.
 */
function vouched(workers: Workers | undefined, answer: NginxAnswer): Workers | undefined {
  if (workers === undefined || answer.kind !== 'serves' || answer.worker === undefined) {
    return workers;
  }
  const isOurs = [...workers.serving, ...workers.leaving].includes(answer.worker);
  return isOurs ? workers : undefined;
}
