/**
 * A prefix of one test, as an operator's command finds it: keys by hand and keys of a watchdog, and
 * balancers that are nothing but what they acknowledge.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import {
  type Acknowledgement,
  acknowledgementKey,
  formatAcknowledgement,
} from '../../src/registry/acknowledgement.ts';
import { type DrainOrder, drainOrderKey, readDrainOrder } from '../../src/registry/drain-order.ts';
import { formatRecord, recordKey } from '../../src/registry/record.ts';
import { recordOf } from '../support/builders.ts';
import { type Ran, runCli, type Surroundings } from '../support/cli.ts';
import { openEtcdClient } from '../support/etcd-client.ts';
import { type Keys, openKeys } from '../support/keys.ts';

export interface StandIn {
  /** What its nginx serves; 0: nothing is proven. */
  readonly says: (revision: number, rest?: Partial<Acknowledgement>) => Promise<void>;
  /** Its lease ends. */
  readonly dies: () => Promise<void>;
}

export interface Holder {
  /** Deletes the key and says why, at one revision, which is the answer. */
  readonly obeys: () => Promise<number>;
  /** Its lease ends, and its key and its record with it. */
  readonly dies: () => Promise<void>;
}

export interface CommandWorld extends AsyncDisposable {
  readonly keys: Keys;
  readonly recordPrefix: string;
  readonly run: (words: readonly string[], by?: Surroundings) => Promise<Ran>;
  readonly order: (name: string) => Promise<DrainOrder | undefined>;
  readonly orderRevision: (name: string) => Promise<number>;
  /** How often it was put. */
  readonly orderPuts: (name: string) => Promise<number>;
  readonly untilOrdered: (name: string) => Promise<void>;
  readonly takeBack: (name: string) => Promise<void>;
  readonly balancer: (host: string) => Promise<StandIn>;
  /** A watchdog that holds a key. */
  readonly holds: (name: string) => Promise<Holder>;
  /** Of the store. */
  readonly revision: () => Promise<number>;
}

const ttlSeconds = 60;

export async function openCommandWorld(etcdUrl: string): Promise<CommandWorld> {
  await using stack = new AsyncDisposableStack();
  const keys = stack.use(await openKeys(etcdUrl));
  const { etcd } = stack.use(openEtcdClient(etcdUrl));
  const recordPrefix = `/records-${randomUUID()}`;
  const orderKey = (name: string) => drainOrderKey(recordPrefix, keys.key(name));
  const read = async (key: string) => (await etcd.get(key).exec()).kvs[0];
  const { cluster_id: cluster } = (await etcd.get('/').exec()).header;
  const revision = async () => Number((await etcd.get('/').exec()).header.revision);

  const owned = stack.move();
  const order = async (name: string) => {
    const found = await read(orderKey(name));
    return found && readDrainOrder(found.value.toString());
  };
  return {
    ...{ keys, recordPrefix, order, revision },
    run: (words, by) => runCli([...words, '--etcd', etcdUrl, '--record-prefix', recordPrefix], by),
    orderRevision: async (name) => Number((await read(orderKey(name)))?.mod_revision ?? 0),
    orderPuts: async (name) => Number((await read(orderKey(name)))?.version ?? 0),
    untilOrdered: async (name) => {
      await waitUntil({ expected: `an order for ${name}`, withinMs: 10_000 }, async () =>
        (await order(name)) ? true : 'none',
      );
    },
    takeBack: async (name) => void (await etcd.delete().key(orderKey(name))),
    balancer: async (host) => {
      const its = etcd.lease(ttlSeconds);
      owned.defer(() => its.revoke().catch(() => {}));
      const says = async (served: number, rest: Partial<Acknowledgement> = {}) => {
        const text = formatAcknowledgement({
          ...{ instance: host, host, pid: 7, version: '0.0.0', admin: null, service: 'backend' },
          ...{ cluster, revision: served, generation: null, olderLive: false },
          ...{ omits: [], omitsMore: false, ...rest },
        });
        await its.put(acknowledgementKey(recordPrefix, keys.prefix, host)).value(text);
      };
      await says(0);
      return { says, dies: () => its.revoke() };
    },
    holds: async (name) => {
      const its = etcd.lease(ttlSeconds);
      owned.defer(() => its.revoke().catch(() => {}));
      const key = keys.key(name);
      const record = recordKey(recordPrefix, key);
      const leaseId = await its.grant();
      await its.put(key).value('127.0.0.1:8001');
      await its.put(record).value(formatRecord(recordOf({ host: 'web1' })));
      return {
        obeys: async () => {
          const drain = { by: 'operator', since: '2026-01-31T12:00:00.000Z' };
          const value = formatRecord(recordOf({ host: 'web1', drain }));
          const { header: at } = await etcd
            .if(key, 'Create', '>', 0)
            .then(etcd.delete().key(key), etcd.put(record).value(value).lease(leaseId))
            .commit();
          return Number(at.revision);
        },
        dies: () => its.revoke(),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Longer than it takes to look again without being told. */
const lookedAgainMs = 1500;

export async function stillRuns(run: Promise<Ran>): Promise<void> {
  expect(await Promise.race([run, sleep(lookedAgainMs, 'still running')])).toBe('still running');
}

/** "confirmed by 2 balancers: lb1 (pid 7), lb2 (pid 7)" */
export const confirmedBy = (...hosts: readonly string[]) =>
  `confirmed by ${hosts.length} balancer${hosts.length > 1 ? 's' : ''}: ` +
  hosts.map((host) => `${host} (pid 7)`).join(', ');

/** Two keys, of which a is to be drained. */
export async function openDraining(etcdUrl: string) {
  const world = await openCommandWorld(etcdUrl);
  await world.keys.put('b', '127.0.0.1:8002');
  const key = world.keys.key('a');
  return {
    ...world,
    key,
    byHand: () => world.keys.put('a', '127.0.0.1:8001'),
    drain: (...flags: readonly string[]) => world.run(['drain', key, '--wait', ...flags]),
    drainedBy: (...hosts: readonly string[]) => ({
      ...{ status: 0, stdout: `${key} is drained: ${confirmedBy(...hosts)}\n` },
    }),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}
