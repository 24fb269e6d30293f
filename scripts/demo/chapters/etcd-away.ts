/**
 * etcd stopped for longer than any lease lives, then started again on its data. Nobody can say who
 * is in the pool meanwhile, so the last known good one stands; and once etcd is back, the leases
 * that it brings back are renewed before they end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expiredMs, prefix, ttlMs } from '../cadence.ts';
import type { Chapter, Stage } from '../chapter.ts';
import { confOnDisk, generationServed, keysInEtcd } from '../evidence.ts';
import { pick } from '../pick.ts';

const AWAY_MS = ttlMs + 3000;
const LOOK_EVERY_MS = 100;

export const etcdAway: Chapter = {
  name: 'etcd-away',
  title: 'etcd is stopped for longer than the leases live, and started again',
  sabotage: 'a watchdog is killed while etcd is away, so its lease ends after the return',
  async run(stage) {
    const { etcd } = stage.cluster;
    const before = await lookAt(stage);
    await etcd.stop();
    if (stage.sabotaged) await pick(stage, 1).watchdog.kill();
    await unchanged(stage, before, AWAY_MS);
    await etcd.start();
    await unchanged(stage, before, expiredMs.atMost);
    const keys = (await keysInEtcd(etcd.url, prefix)).size;
    if (keys !== stage.cluster.backends.length) {
      throw new Error(`expected every key renewed after the return, seen: ${keys} keys`);
    }
    return {
      line: `etcd away for ${AWAY_MS / 1000} s, TTL ${ttlMs / 1000} s: pool of ${keys} all along, no reload`,
    };
  },
};

interface Pool {
  readonly addresses: string;
  readonly generation: string | undefined;
}

async function lookAt({ cluster }: Stage): Promise<Pool> {
  const { addresses } = await confOnDisk(cluster.conf);
  return {
    addresses: addresses.join(', '),
    generation: await generationServed(cluster.confirmUrl),
  };
}

async function unchanged(stage: Stage, before: Pool, forMs: number): Promise<void> {
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const pool = await lookAt(stage);
    if (pool.addresses !== before.addresses || pool.generation !== before.generation) {
      throw new Error(
        `expected nginx to keep ${before.addresses} in generation ${before.generation}, ` +
          `seen: ${pool.addresses} in generation ${pool.generation}`,
      );
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: stage.signal });
  }
}
