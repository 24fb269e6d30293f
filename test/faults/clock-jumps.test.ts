/** The wall clock jumps, by NTP or by hand: no lease, no deadline and no promise may follow it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, inject, test, vi } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { drainOrderKey } from '../../src/registry/drain-order.ts';
import { EtcdEndpoints } from '../../src/registry/etcd/endpoints.ts';
import { etcdLeases } from '../../src/registry/etcd/leases.ts';
import { Registration } from '../../src/watchdog/registration/registration.ts';
import { openKeys } from '../support/keys.ts';
import { never } from '../support/virtual-clock.ts';

const hourMs = 3_600_000;
const ttlMs = 5000;

afterEach(() => void vi.useRealTimers());

const passed = () => ({ passed: true, startedAtMs: systemClock.now(), durationMs: 1 }) as const;

/** On a real etcd, with a wall clock that the test may set. */
async function registrationOn(evidenceMs: number) {
  await using stack = new AsyncDisposableStack();
  const keys = stack.use(await openKeys(inject('etcdUrl')));
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  const endpoints = stack.use(new EtcdEndpoints([inject('etcdUrl')], systemClock, Math.random));
  const leases = stack.use(etcdLeases(endpoints, systemClock));
  const key = keys.key('apache');
  const registration = new Registration(
    {
      ...{ key, recordKey: `/rollcall/watchdogs${key}`, value: '127.0.0.1:8001' },
      orderKey: drainOrderKey('/rollcall', key),
      ...{ instance: 'us', ttlMs, evidenceMs, byHand: 'restore' },
    },
    leases,
    systemClock,
    { onLease: () => {} },
  );
  const owned = stack.move();
  return { registration, keys, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test.for([hourMs, -hourMs])('by %i ms between renewals, and during one', async (jumpMs) => {
  await using world = await registrationOn(2000);
  const { registration, keys } = world;
  expect(await registration.hold(passed(), 'a record', never)).toMatchObject({ kind: 'written' });
  const lease = (await keys.read('apache'))?.lease;

  vi.setSystemTime(Date.now() + jumpMs);
  expect(registration.remainingMs).toBeGreaterThan(ttlMs - 1000);
  expect(await registration.hold(passed(), 'a record', never)).toEqual({ kind: 'held' });

  // The deadline that etcd's client is given is a time of day: it must not outlive or undercut ours.
  const held = registration.hold(passed(), 'a record', never);
  vi.setSystemTime(Date.now() - 2 * jumpMs);
  expect(await held).toEqual({ kind: 'held' });
  await sleep(1000);
  expect(await registration.hold(passed(), 'a record', never)).toEqual({ kind: 'held' });
  expect((await keys.read('apache'))?.lease).toBe(lease);
  await registration.release(never);
});

test.for([hourMs, -hourMs])('by %i ms: a pass that has grown old is no younger', async (jumpMs) => {
  await using world = await registrationOn(200);
  const { registration } = world;
  const old = passed();
  await sleep(250);
  vi.setSystemTime(Date.now() + jumpMs);
  await expect(registration.hold(old, 'a record', never)).rejects.toThrow('too old to act on');
});
