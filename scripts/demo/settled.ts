/**
 * The world as it should be: every key in etcd, every address in nginx.conf, nginx answering with
 * that file's generation, and each rollcall saying so too.
 */
import { messageOf } from '../../src/lib/errors.ts';
import { waitUntil, type Look } from '../parts/wait-until.ts';
import { prefix, settledMs } from './cadence.ts';
import type { Cluster } from './cluster.ts';
import { confOnDisk, generationServed, keysInEtcd } from './evidence.ts';

type World = Omit<Cluster, typeof Symbol.asyncDispose>;

export function settled(world: World, signal: AbortSignal): Promise<number> {
  const expected = `all ${world.backends.length} in the pool and confirmed`;
  return waitUntil(
    { expected, withinMs: settledMs, everyMs: 50 },
    // While one of them is not back yet, asking it throws.
    () => isSettled(world).catch(messageOf),
    signal,
  );
}

async function isSettled(world: World): Promise<Look> {
  const keys = await keysInEtcd(world.etcd.url, prefix);
  const onDisk = await confOnDisk(world.conf);
  for (const { key, address } of world.backends) {
    if (keys.get(key) !== address) return `no ${key} in etcd`;
    if (!onDisk.addresses.includes(address)) return `no ${address} in nginx.conf`;
  }
  if (onDisk.addresses.length !== world.backends.length) {
    return `nginx.conf with ${onDisk.addresses.join(', ')}`;
  }
  return nginxServes(world, onDisk.generation);
}

/** nginx itself answers with this generation, and the balancer has confirmed the same. */
export async function nginxServes(
  { confirmUrl, balancer }: Pick<World, 'confirmUrl' | 'balancer'>,
  generation: string,
): Promise<Look> {
  const served = await generationServed(confirmUrl);
  if (served !== generation) {
    return `nginx ${served ? `serving ${served}` : 'silent'}, not ${generation}`;
  }
  const status = await balancer.status();
  if (status.generation.running !== generation || !status.confirmed) {
    return `the balancer has not confirmed ${generation}`;
  }
  return true;
}
