/**
 * Starts again what somebody ended, once it has been away for long enough to be seen. What is
 * frozen stays frozen.
 */
import type { Program } from '../parts/program.ts';
import type { Cluster } from './cluster.ts';
import { programsOf } from './put-right.ts';

export const REVIVED_AFTER_MS = 10_000;

/** To be called again and again; waits for nothing. */
export function reviver(cluster: Cluster): () => void {
  const missedSince = new Map<Program, number>();
  const reviving = new Set<Program>();

  async function revive(program: Program): Promise<void> {
    reviving.add(program);
    // One that cannot start, for want of etcd say, is tried again later.
    await program.start().catch(() => undefined);
    reviving.delete(program);
    missedSince.delete(program);
  }

  return () => {
    for (const program of programsOf(cluster)) {
      if (reviving.has(program)) continue;
      if (program.pid !== undefined) {
        missedSince.delete(program);
        continue;
      }
      const since = missedSince.get(program) ?? performance.now();
      missedSince.set(program, since);
      if (performance.now() - since >= REVIVED_AFTER_MS) void revive(program);
    }
  };
}
