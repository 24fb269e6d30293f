/** The watchdog's side of the store on a real etcd: leases, and keys under a lease. */
import { CompareResult, CompareTarget, type ICompare, type IRequestOp } from 'etcd3';
import type { Clock } from '../../lib/clock.ts';
import { type EtcdEndpoints, shortCall } from './endpoints.ts';
import { rangeOf, storedKey } from './keys.ts';
import { KeepAlive } from './keep-alive.ts';
import { watchUntilItEnds } from './watch.ts';
import type { Guard, LeaseStore, Place, Write } from '../store.ts';

export function etcdLeases(endpoints: EtcdEndpoints, clock: Clock): LeaseStore & Disposable {
  const keepAlive = new KeepAlive(endpoints, clock);
  return {
    grantLease: async (ttlMs, signal) => {
      const granted = await endpoints.call(
        { what: 'etcd lease grant' },
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
          { what: 'etcd lease revoke', needs: 'write every key of the lease' },
          shortCall,
          (client, options) => client.leaseClient.leaseRevoke({ ID: leaseId }, options),
          signal,
        );
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },

    leaseRemainingMs: async (leaseId, signal) => {
      try {
        const { TTL } = await endpoints.call(
          { what: 'etcd lease time to live' },
          shortCall,
          (client, options) => client.leaseClient.leaseTimeToLive({ ID: leaseId }, options),
          signal,
        );
        // A lease that is gone has -1.
        return Math.max(0, Number(TTL)) * 1000;
      } catch (error) {
        if (!isGone(error)) throw error;
        return 0;
      }
    },

    readKeys: async (keys, signal) => {
      const { responses } = await endpoints.call(
        { what: 'etcd read', needs: `read ${keys.join(' and ')}` },
        shortCall,
        (client, options) => client.kv.txn({ success: keys.map(asRange) }, options),
        signal,
      );
      return responses.map(({ response_range }) => {
        const [found] = response_range.kvs;
        return found && storedKey(found);
      });
    },

    readMoment: async (keys, below, limit, signal) => {
      const { header, responses } = await endpoints.call(
        { what: 'etcd read', needs: `read ${[...keys, `${below}/`].join(' and ')}` },
        shortCall,
        (client, options) => {
          const range = { request_range: { ...rangeOf(below), limit } };
          return client.kv.txn({ success: [...keys.map(asRange), range] }, options);
        },
        signal,
      );
      const found = responses.map(({ response_range }) => response_range.kvs.map(storedKey));
      return {
        ...{ clusterId: header.cluster_id, revision: Number(header.revision) },
        keys: keys.map((_, n) => found[n]?.[0]),
        below: found[keys.length] ?? [],
      };
    },

    change: async (guards, writes, signal) => {
      const keys = [...new Set([...guards, ...writes].map(({ key }) => key))];
      const { header, succeeded } = await endpoints.call(
        { what: 'etcd write', needs: `read and write ${keys.join(' and ')}` },
        shortCall,
        (client, options) =>
          client.kv.txn(
            { compare: guards.map(asCompare), success: writes.map(asRequest) },
            options,
          ),
        signal,
      );
      return succeeded ? Number(header.revision) : undefined;
    },

    watchPlaces: (places, onChange, signal) =>
      watchUntilItEnds(
        endpoints,
        {
          task: { what: 'etcd watch', needs: `read ${places.map(shownPlace).join(' and ')}` },
          // Without a revision it starts at now: what was before is read, not told.
          requests: places.map((place) =>
            'key' in place ? { key: Buffer.from(place.key) } : rangeOf(place.below),
          ),
          onEvents: onChange,
        },
        clock,
        signal,
      ),

    [Symbol.dispose]: () => keepAlive[Symbol.dispose](),
  };
}

const isGone = (error: unknown) =>
  error instanceof Error && /requested lease not found/.test(error.message);

const shownPlace = (place: Place) => ('key' in place ? place.key : `${place.below}/`);

const asRange = (key: string): IRequestOp => ({ request_range: { key: Buffer.from(key) } });

/** A key that is absent has mod_revision 0. */
function asCompare(guard: Guard): ICompare {
  const about = { key: Buffer.from(guard.key), result: CompareResult.Equal };
  return 'leaseId' in guard
    ? { ...about, target: CompareTarget.Lease, lease: guard.leaseId }
    : { ...about, target: CompareTarget.Mod, mod_revision: String(guard.modRevision) };
}

function asRequest(write: Write): IRequestOp {
  const key = Buffer.from(write.key);
  return write.kind === 'put'
    ? { request_put: { key, value: Buffer.from(write.value), lease: write.leaseId } }
    : { request_delete_range: { key } };
}
