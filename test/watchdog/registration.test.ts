import { expect, test } from 'vitest';
import { Registration } from '../../src/watchdog/registration.ts';
import { etcdCallBudgetMs } from '../../src/watchdog/timing.ts';
import { storedKey } from '../support/builders.ts';
import { fakeLeaseStore } from '../support/fake-lease-store.ts';
import { never, virtualClock } from '../support/virtual-clock.ts';

const key = '/test/apache-8001';
const address = '127.0.0.1:8001';

function registrationOn(store = fakeLeaseStore()) {
  const clock = virtualClock();
  const settings = { key, address, ttlMs: 5000, evidenceMs: 2000 };
  const registration = new Registration(settings, store, clock);
  const passed = () => ({ passed: true, startedAtMs: clock.now(), durationMs: 0 }) as const;
  return { registration, store, clock, passed };
}

test('the first passing probe grants a lease and writes the key under it', async () => {
  const { registration, store, passed } = registrationOn();
  const held = await registration.hold(passed(), never);
  expect(held).toEqual({ kind: 'written', because: 'absent' });
  expect(store.calls).toEqual(['grant', 'read', 'put under lease-1']);
  expect(store.stored).toMatchObject({ key, value: address, leaseId: 'lease-1' });
});

test('each further one renews that lease and writes nothing', async () => {
  const { registration, store, passed } = registrationOn();
  await registration.hold(passed(), never);
  store.calls.length = 0;
  expect(await registration.hold(passed(), never)).toEqual({ kind: 'held' });
  expect(store.calls).toEqual(['renew lease-1', 'read']);
});

test('nothing but a call of hold ever renews: time alone does not', async () => {
  const { registration, store, clock, passed } = registrationOn();
  await registration.hold(passed(), never);
  store.calls.length = 0;
  await clock.advance(60_000);
  expect(store.calls).toEqual([]);
  expect(registration.remainingMs).toBe(0);
});

test('a pass that has grown old renews nothing', async () => {
  const { registration, store, clock, passed } = registrationOn();
  await registration.hold(passed(), never);
  const old = passed();
  store.calls.length = 0;
  await clock.advance(2001);
  await expect(registration.hold(old, never)).rejects.toThrow('too old to renew on');
  expect(store.calls).toEqual([]);
});

test('a pass just young enough renews', async () => {
  const { registration, clock, passed } = registrationOn();
  const young = passed();
  await clock.advance(2000);
  expect(await registration.hold(young, never)).toMatchObject({ kind: 'written' });
});

test('a lease that has expired in etcd is granted anew, and the key written again', async () => {
  const { registration, store, passed } = registrationOn();
  await registration.hold(passed(), never);
  store.expire('lease-1');
  store.calls.length = 0;
  const held = await registration.hold(passed(), never);
  expect(held).toEqual({ kind: 'written', because: 'absent' });
  expect(store.calls).toEqual(['renew lease-1', 'grant', 'read', 'put under lease-2']);
});

test('the lease counts from when its renewal was sent, not from when it was answered', async () => {
  const { registration, store, clock, passed } = registrationOn();
  store.beforeAnswer = (call) => clock.sleep(call === 'grant' ? 400 : 0);
  const held = registration.hold(passed(), never);
  await clock.advance(400);
  await held;
  expect(registration.remainingMs).toBe(4600);
});

test('a store that does not answer ends the call within its budget', async () => {
  const { registration, store, clock, passed } = registrationOn();
  store.beforeAnswer = () => new Promise(() => {});
  const held = registration.hold(passed(), never).catch((error: unknown) => error);
  await clock.advance(etcdCallBudgetMs);
  expect(await held).toMatchObject({ code: 'DEADLINE' });
});

test('after a failed call the next one starts from what etcd holds', async () => {
  const { registration, store, passed } = registrationOn();
  store.beforeAnswer = async (call) => {
    if (call === 'read') throw new Error('etcd: no leader');
  };
  await expect(registration.hold(passed(), never)).rejects.toThrow('no leader');
  store.beforeAnswer = async () => {};
  expect(await registration.hold(passed(), never)).toMatchObject({ kind: 'written' });
  expect(store.calls).toEqual(['grant', 'read', 'renew lease-1', 'read', 'put under lease-1']);
});

test('a key that changes between the reading and the writing is not overwritten', async () => {
  const { registration, store, passed } = registrationOn();
  const theirs = storedKey(key, '127.0.0.1:9999', { leaseId: 'theirs', modRevision: 9 });
  store.beforeAnswer = async (call) => {
    if (call.startsWith('put')) store.stored = theirs;
  };
  await expect(registration.hold(passed(), never)).rejects.toThrow('the key changed');
  expect(store.stored).toBe(theirs);
});

test('another watchdog’s key is left alone, before and after ours was held', async () => {
  const theirs = storedKey(key, '127.0.0.1:9999', { leaseId: 'theirs' });
  const { registration, store, passed } = registrationOn(fakeLeaseStore(theirs));
  expect(await registration.hold(passed(), never)).toEqual({ kind: 'taken', by: theirs });
  expect(store.stored).toBe(theirs);
});

test('our value under another lease is a predecessor’s before we held it, a rival’s after', async () => {
  const sameValue = storedKey(key, address, { leaseId: 'other' });
  const { registration, store, passed } = registrationOn(fakeLeaseStore(sameValue));
  const first = await registration.hold(passed(), never);
  expect(first).toEqual({ kind: 'written', because: 'left behind' });
  store.stored = sameValue;
  expect(await registration.hold(passed(), never)).toEqual({ kind: 'taken', by: sameValue });
});

test('release revokes the lease, and the key goes with it', async () => {
  const { registration, store, passed } = registrationOn();
  await registration.hold(passed(), never);
  await registration.release(never);
  expect(store.stored).toBeUndefined();
  expect(registration).toMatchObject({ hasLease: false, remainingMs: 0 });
});

test('release without a lease asks etcd for nothing', async () => {
  const { registration, store } = registrationOn();
  await registration.release(never);
  expect(store.calls).toEqual([]);
});

test('a release that failed is still owed', async () => {
  const { registration, store, passed } = registrationOn();
  await registration.hold(passed(), never);
  store.beforeAnswer = async () => {
    throw new Error('etcd is away');
  };
  await expect(registration.release(never)).rejects.toThrow('etcd is away');
  expect(registration.hasLease).toBe(true);
});
