/** Both stores on one way into etcd, with what it told on the way. */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { type EtcdFiles, readCredentials } from '../../src/registry/etcd/credentials.ts';
import { EtcdEndpoints, type EtcdSurroundings } from '../../src/registry/etcd/endpoints.ts';
import type { EtcdEvent } from '../../src/registry/etcd/events.ts';
import { etcdKeys } from '../../src/registry/etcd/keys.ts';
import { etcdLeases } from '../../src/registry/etcd/leases.ts';

export const unhurried = new AbortController().signal;
export const key = '/test/apache-8001';

export async function openStores(
  url: string,
  files: EtcdFiles = {},
  lookup?: EtcdSurroundings['lookup'],
) {
  const read = await readCredentials(files);
  if (!read.ok) throw new Error(read.reason);
  const events: EtcdEvent[] = [];
  const access = { files, credentials: read.value };
  const onEvent = (event: EtcdEvent) => void events.push(event);
  const endpoints = new EtcdEndpoints([url], systemClock, () => 0, {
    ...{ access, onEvent },
    ...(lookup && { lookup }),
  });
  const leases = etcdLeases(endpoints, systemClock);
  const keys = etcdKeys(endpoints, systemClock);
  return {
    ...{ endpoints, leases, keys, events },
    kinds: () => events.map(({ kind }) => kind),
    [Symbol.asyncDispose]: async () => {
      leases[Symbol.dispose]();
      await endpoints[Symbol.asyncDispose]();
    },
  };
}

export type Stores = Awaited<ReturnType<typeof openStores>>;

/** A watch of the key, until the end of the scope, and what it told. */
export function watched(store: Stores) {
  const stop = new AbortController();
  const told = { changes: 0, ended: '' };
  const ended = store.leases
    .watchPlaces([{ key }], () => (told.changes += 1), stop.signal)
    .catch((error: unknown) => (told.ended = messageOf(error)));
  return {
    told,
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('enough'));
      await ended;
    },
  };
}

/** Puts until a watch tells of it: it starts at "now", and nobody says when that was. */
export const tells = (store: Stores, told: { changes: number }) =>
  waitUntil({ expected: 'a change told', withinMs: 5000 }, async () => {
    await store.leases.change([], [{ kind: 'put', key, value: '', leaseId: '0' }], unhurried);
    await sleep(20);
    return told.changes > 0 || 'nothing told';
  });

export const reasonOf = (call: Promise<unknown>) =>
  call.then(
    (answer) => `answered: ${JSON.stringify(answer)}`,
    (error: unknown) => messageOf(error),
  );
