/** The watchdog's side of the store on a real etcd: leases, and one key under a lease. */
import { CompareResult, CompareTarget, type IKeyValue } from 'etcd3';
import type { Clock } from '../lib/clock.ts';
import { type EtcdEndpoints, shortCall } from './etcd-endpoints.ts';
import { storedKey } from './etcd-keys.ts';
import { KeepAlive } from './etcd-keep-alive.ts';
import type { LeaseStore } from './store.ts';

export function etcdLeases(endpoints: EtcdEndpoints, clock: Clock): LeaseStore & Disposable {
  const keepAlive = new KeepAlive(endpoints, clock);
  return {
    grantLease: async (ttlMs, signal) => {
      const granted = await endpoints.call(
        'etcd lease grant',
        shortCall,
        (client, options) =>
          client.leaseClient.leaseGrant({ TTL: Math.ceil(ttlMs / 1000) }, options),
        signal,
      );
      return { leaseId: granted.ID, ttlMs: Number(granted.TTL) * 1000 };
    },

    renewLease: (leaseId, signal) => keepAlive.renew(leaseId, signal),

    revokeLease: async (leaseId, signal) => {
      try {
        await endpoints.call(
          'etcd lease revoke',
          shortCall,
          (client, options) => client.leaseClient.leaseRevoke({ ID: leaseId }, options),
          signal,
        );
      } catch (error) {
        if (!(error instanceof Error && /requested lease not found/.test(error.message)))
          throw error;
      }
    },

    readKey: async (key, signal) => {
      const { kvs } = await endpoints.call(
        'etcd read',
        shortCall,
        (client, options) => client.kv.range({ key: Buffer.from(key) }, options),
        signal,
      );
      const [found] = kvs as readonly IKeyValue[];
      return found && storedKey(found);
    },

    putIfUnchanged: async ({ key, value, leaseId }, seen, signal) => {
      const name = Buffer.from(key);
      const { succeeded } = await endpoints.call(
        'etcd write',
        shortCall,
        (client, options) =>
          client.kv.txn(
            {
              // A key that is absent has mod_revision 0.
              compare: [
                {
                  key: name,
                  target: CompareTarget.Mod,
                  result: CompareResult.Equal,
                  mod_revision: String(seen?.modRevision ?? 0),
                },
              ],
              success: [{ request_put: { key: name, value: Buffer.from(value), lease: leaseId } }],
            },
            options,
          ),
        signal,
      );
      return succeeded;
    },

    [Symbol.dispose]: () => keepAlive[Symbol.dispose](),
  };
}
