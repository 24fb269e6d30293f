/**
 * Puts the world right, whatever was done to it: what is frozen runs on, what was ended is started
 * again, what answers 500 no longer does. Returns when all are in the pool and that is proven.
 */
import type { Program } from '../parts/program.ts';
import type { Cluster } from './cluster.ts';
import { settled } from './settled.ts';

export async function putRight(cluster: Cluster, signal: AbortSignal): Promise<void> {
  for (const program of programsOf(cluster)) {
    if (program.pid === undefined) await program.start();
    else program.resume();
  }
  for (const { apache } of cluster.backends) await apache.failing(false);
  await settled(cluster, signal);
}

/** Each after what it needs. */
export function programsOf(cluster: Cluster): readonly Program[] {
  const { etcd, backends, balancer, nginx } = cluster;
  return [etcd, ...backends.flatMap(({ apache, watchdog }) => [apache, watchdog]), balancer, nginx];
}
