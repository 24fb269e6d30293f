/**
 * Watches a backend leave: first its key leaves etcd, then nginx is proven to serve a file without
 * it, and from then on no request is answered by it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../src/lib/errors.ts';
import { httpGet } from '../parts/http-get.ts';
import { waitUntil } from '../parts/wait-until.ts';
import { appliedMs, prefix } from './cadence.ts';
import type { Stage } from './chapter.ts';
import type { Backend } from './cluster.ts';
import { confOnDisk, keysInEtcd } from './evidence.ts';
import { nginxServes } from './settled.ts';
import { now } from './steady-client.ts';

const WATCHED_FOR_MS = 500;
const EVERY_MS = 25;

export interface Removal {
  /** From the fault on. */
  readonly keyGoneMs: number;
  readonly unservedMs: number;
  /** When nginx was proven to serve without it. */
  readonly unservedAt: number;
}

export async function watchRemoval(
  { cluster, client, signal }: Stage,
  { key, address }: Backend,
  keyGoneWithinMs: number,
): Promise<Removal> {
  const faultAt = now();
  const keyGoneMs = await waitUntil(
    { expected: `${key} gone from etcd`, withinMs: keyGoneWithinMs, everyMs: EVERY_MS },
    async () => {
      const value = (await keysInEtcd(cluster.etcd.url, prefix)).get(key);
      return value === undefined || `still ${value}`;
    },
    signal,
  );

  await waitUntil(
    {
      expected: `nginx proven to serve without ${address}`,
      withinMs: appliedMs,
      everyMs: EVERY_MS,
    },
    async () => {
      const { addresses, generation } = await confOnDisk(cluster.conf);
      if (addresses.includes(address)) return 'still in nginx.conf';
      return nginxServes(cluster, generation).catch(messageOf);
    },
    signal,
  );
  const unservedAt = now();

  await sleep(WATCHED_FOR_MS, undefined, { signal });
  const after = await client.startedBetween(unservedAt, now());
  const strays = after.filter(({ answeredBy }) => answeredBy === address).length;
  const answered = after.filter(({ failure }) => failure === undefined).length;
  if (strays > 0 || answered === 0) {
    throw new Error(
      `expected answers, none of them from ${address}, once its removal was confirmed, ` +
        `seen: ${answered} answers, ${strays} of them from it`,
    );
  }
  return { keyGoneMs, unservedMs: unservedAt - faultAt, unservedAt };
}

/** Asked directly, past nginx. */
export async function answersItself({ apache }: Backend): Promise<boolean> {
  return httpGet(apache.url, 1000).then(
    ({ status }) => status === 200,
    () => false,
  );
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
