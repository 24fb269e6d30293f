/** A registration on a fake etcd and a virtual clock. */
import { drainOrderKey } from '../../src/registry/drain-order.ts';
import { formatRecord, recordKey as recordKeyOf } from '../../src/registry/record.ts';
import type { FailedProbe } from '../../src/watchdog/probe/result.ts';
import { Registration } from '../../src/watchdog/registration/registration.ts';
import { recordOf } from './builders.ts';
import { fakeLeaseStore } from './fake-lease-store.ts';
import { never, virtualClock } from './virtual-clock.ts';

export const key = '/test/apache-8001';
export const recordKey = recordKeyOf('/rollcall', key);
export const orderKey = drainOrderKey('/rollcall', key);
export const value = '127.0.0.1:8001';
export const up = formatRecord(recordOf({ instance: 'us', state: 'up' }));
export const down = formatRecord(recordOf({ instance: 'us', state: 'down' }));
export const writing = (lease: string) =>
  `put ${key} under ${lease}, put ${recordKey} under ${lease}`;

export function registrationOn(
  store = fakeLeaseStore(),
  byHand: 'restore' | 'respect' = 'restore',
) {
  const clock = virtualClock();
  const leases: string[] = [];
  const registration = new Registration(
    {
      ...{ key, recordKey, orderKey, value, instance: 'us', ttlMs: 5000, evidenceMs: 2000 },
      byHand,
    },
    store,
    clock,
    { onLease: (what) => leases.push(what) },
  );
  const passed = () => ({ passed: true, startedAtMs: clock.now(), durationMs: 0 }) as const;
  const failed = (): FailedProbe => ({
    ...{ passed: false, kind: 'refused', phase: 'connect', reason: 'connection refused' },
    ...{ startedAtMs: clock.now(), durationMs: 0 },
  });
  const hold = () => registration.hold(passed(), up, never);
  const drop = () => registration.drop(failed(), down, never);
  return { registration, store, clock, leases, passed, failed, hold, drop };
}
