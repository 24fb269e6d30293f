import { expect, test } from 'vitest';
import { etcdCallBudgetMs } from '../../../src/watchdog/timing.ts';
import { storedKey } from '../../support/builders.ts';
import { fakeLeaseStore } from '../../support/fake-lease-store.ts';
import { key, recordKey, registrationOn, up, value, writing } from '../../support/registering.ts';
import { never } from '../../support/virtual-clock.ts';

test('the first passing probe grants a lease and writes key and record under it, together', async () => {
  const { store, hold } = registrationOn();
  expect(await hold()).toEqual({ kind: 'written', because: 'absent' });
  expect(store.calls).toEqual(['read', 'grant', writing('lease-1')]);
  expect(store.keys.get(key)).toMatchObject({ value, leaseId: 'lease-1' });
  expect(store.keys.get(recordKey)).toMatchObject({ value: up, leaseId: 'lease-1' });
});

test('each further one renews that lease and writes nothing', async () => {
  const { store, hold } = registrationOn();
  await hold();
  store.calls.length = 0;
  expect(await hold()).toEqual({ kind: 'held' });
  expect(store.calls).toEqual(['renew lease-1', 'read']);
});

test('nothing but a pass ever renews: neither time nor a failing probe', async () => {
  const { registration, store, clock, hold } = registrationOn();
  await hold();
  store.calls.length = 0;
  await clock.advance(4000);
  expect(await registration.hold(undefined, up, never)).toEqual({ kind: 'held' });
  expect(store.calls).toEqual(['read']);
  await clock.advance(1000);
  expect(registration.remainingMs).toBe(0);
});

test('a pass that has grown old renews nothing and grants nothing', async () => {
  const { registration, store, clock, passed, hold } = registrationOn();
  const older = passed();
  await clock.advance(2001);
  await expect(registration.hold(older, up, never)).rejects.toThrow('too old to act on');
  expect(store.calls).toEqual(['read']);
  await hold();
  const old = passed();
  store.calls.length = 0;
  await clock.advance(2001);
  await expect(registration.hold(old, up, never)).rejects.toThrow('too old to act on');
  expect(store.calls).toEqual([]);
});

test('a pass just young enough renews', async () => {
  const { registration, clock, passed } = registrationOn();
  const young = passed();
  await clock.advance(2000);
  expect(await registration.hold(young, up, never)).toMatchObject({ kind: 'written' });
});

test('a lease that has expired in etcd is granted anew, and the key written again', async () => {
  const { store, leases, hold } = registrationOn();
  await hold();
  store.expire('lease-1');
  store.calls.length = 0;
  expect(await hold()).toEqual({ kind: 'written', because: 'absent' });
  expect(store.calls).toEqual(['renew lease-1', 'read', 'grant', writing('lease-2')]);
  expect(leases).toEqual(['granted', 'gone', 'granted']);
});

test('the lease counts from when its renewal was sent, not from when it was answered', async () => {
  const { registration, store, clock, hold } = registrationOn();
  store.beforeAnswer = (call) => clock.sleep(call === 'grant' ? 400 : 0);
  const held = hold();
  await clock.advance(400);
  await held;
  expect(registration.remainingMs).toBe(4600);
});

test('a store that does not answer ends the call within its budget', async () => {
  const { store, clock, hold, drop } = registrationOn();
  store.beforeAnswer = () => new Promise(() => {});
  for (const call of [hold, drop]) {
    const ended = call().catch((error: unknown) => error);
    await clock.advance(etcdCallBudgetMs);
    expect(await ended).toMatchObject({ code: 'DEADLINE' });
  }
});

test('a key that changes between the reading and the writing is not overwritten', async () => {
  const { store, hold } = registrationOn();
  store.beforeAnswer = async (call) => {
    if (call.startsWith('put')) store.put(key, '127.0.0.1:9999', 'theirs');
  };
  await expect(hold()).rejects.toThrow('the key changed');
  expect(store.keys.get(key)?.value).toBe('127.0.0.1:9999');
});

test('another watchdog’s key is left alone, and nothing is granted for it', async () => {
  const theirs = storedKey(key, '127.0.0.1:9999', { leaseId: 'theirs' });
  const { store, hold } = registrationOn(fakeLeaseStore(theirs));
  store.othersMs.set('theirs', 4000);
  expect(await hold()).toMatchObject({ kind: 'taken', remainingMs: 4000 });
  expect(store.calls).toEqual(['read', 'remaining theirs']);
  store.othersMs.set('theirs', 0);
  expect(await hold()).toMatchObject({ kind: 'taken' });
});

test('our value under a lease that nobody renews is taken over before it runs out', async () => {
  const { store, hold } = registrationOn(
    fakeLeaseStore(storedKey(key, value, { leaseId: 'dead' })),
  );
  // etcd rounds down: up to two seconds, which is all of a lease of two.
  store.othersMs.set('dead', 1000);
  expect(await hold()).toMatchObject({ kind: 'taken', sameValue: true });
  store.othersMs.set('dead', 0);
  expect(await hold()).toEqual({ kind: 'written', because: 'left behind' });
  expect(store.keys.get(key)).toMatchObject({ value, leaseId: 'lease-1' });
});
