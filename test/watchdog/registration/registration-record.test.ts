import { expect, test } from 'vitest';
import { formatRecord } from '../../../src/registry/record.ts';
import { etcdCallBudgetMs } from '../../../src/watchdog/timing.ts';
import { recordOf, storedKey } from '../../support/builders.ts';
import { fakeLeaseStore } from '../../support/fake-lease-store.ts';
import {
  down,
  key,
  recordKey,
  registrationOn,
  up,
  value,
  writing,
} from '../../support/registering.ts';
import { never } from '../../support/virtual-clock.ts';

test('on a verdict the key goes and the record tells of it, at one revision, on another lease', async () => {
  const { registration, store, hold, drop } = registrationOn();
  await hold();
  store.calls.length = 0;
  expect(await drop()).toEqual({ kind: 'removed' });
  expect(store.calls).toEqual([
    'grant',
    `delete ${key}, put ${recordKey} under lease-2`,
    'revoke lease-1',
  ]);
  expect(store.keys.get(recordKey)).toMatchObject({ value: down, leaseId: 'lease-2' });
  expect(registration.remainingMs).toBe(0);
});

test('a removal whose record cannot be written removes the key all the same', async () => {
  const { store, clock, hold, drop } = registrationOn();
  await hold();
  for (const fault of ['refused', 'silent'] as const) {
    store.beforeAnswer = (call) => {
      if (!call.startsWith('delete') && call !== 'grant') return Promise.resolve();
      return fault === 'silent' ? new Promise(() => {}) : Promise.reject(new Error('denied'));
    };
    const dropped = drop();
    await clock.advance(etcdCallBudgetMs);
    expect(await dropped).toEqual({ kind: 'removed' });
    expect(store.keys.has(key)).toBe(false);
    store.beforeAnswer = () => Promise.resolve();
    await hold();
  }
});

test('the record of a backend that is down lives as long as probes end, and no longer', async () => {
  const { registration, store, clock, failed, hold, drop } = registrationOn();
  await hold();
  await drop();
  store.calls.length = 0;
  await clock.advance(1000);
  expect(await drop()).toEqual({ kind: 'absent' });
  expect(store.calls).toEqual(['read', 'renew lease-2']);
  const old = failed();
  await clock.advance(2001);
  store.calls.length = 0;
  await expect(registration.drop(old, down, never)).rejects.toThrow('too old to act on');
  expect(store.calls).toEqual([]);
});

test('up again: key and record come back together under a new lease, and the other one ends', async () => {
  const { store, hold, drop } = registrationOn();
  await hold();
  await drop();
  store.calls.length = 0;
  expect(await hold()).toEqual({ kind: 'written', because: 'absent' });
  expect(store.calls).toEqual(['read', 'grant', writing('lease-3'), 'revoke lease-2']);
  expect(store.keys.get(recordKey)).toMatchObject({ value: up, leaseId: 'lease-3' });
});

test('a write still on its way when the verdict falls cannot bring the key back', async () => {
  const { registration, store, passed, drop } = registrationOn();
  const verdict = new AbortController();
  const late = Promise.withResolvers<void>();
  store.beforeAnswer = (call) => (call.startsWith('put') ? late.promise : Promise.resolve());
  const held = registration.hold(passed(), up, verdict.signal).catch((error: unknown) => error);
  while (!store.calls.some((call) => call.startsWith('put'))) await Promise.resolve();
  verdict.abort(new Error('down'));
  await held;
  await drop();
  late.resolve();
  await Promise.resolve();
  // etcd got the write after all: its lease is gone, so it fails there.
  const write = { kind: 'put', key, value, leaseId: 'lease-1' } as const;
  await expect(store.change([{ key, modRevision: 0 }], [write], never)).rejects.toThrow('lease');
});

test('a record that somebody else changed or deleted is written again, and said to be repaired', async () => {
  const { store, hold, drop } = registrationOn();
  await hold();
  store.put(recordKey, 'rubbish', 'lease-1');
  expect(await hold()).toEqual({ kind: 'record repaired' });
  store.remove(recordKey);
  expect(await hold()).toEqual({ kind: 'record repaired' });
  expect(store.keys.get(recordKey)?.value).toBe(up);
  await drop();
  await drop();
  store.put(recordKey, 'rubbish');
  expect(await drop()).toEqual({ kind: 'record repaired' });
  expect(store.keys.get(recordKey)?.value).toBe(down);
});

test('another watchdog’s record is left alone', async () => {
  const theirs = formatRecord(recordOf({ instance: 'them' }));
  const { store, drop } = registrationOn(
    fakeLeaseStore(storedKey(recordKey, theirs, { leaseId: 'theirs' })),
  );
  expect(await drop()).toEqual({ kind: 'absent' });
  expect(store.keys.get(recordKey)?.value).toBe(theirs);
});

test('changed by hand and to be respected: the key is let go, until the next start', async () => {
  const { store, hold } = registrationOn(fakeLeaseStore(), 'respect');
  await hold();
  store.remove(key);
  const respected = { kind: 'respected', because: 'deleted by hand' };
  expect(await hold()).toEqual(respected);
  expect(store.keys.has(key)).toBe(false);
  store.put(key, '10.0.0.1:1');
  expect(await hold()).toEqual(respected);
  expect(store.keys.get(key)?.value).toBe('10.0.0.1:1');
});

test('a release ends both leases; without one there is nothing to end', async () => {
  const { registration, store, hold, drop } = registrationOn();
  await registration.release(never);
  expect(store.calls).toEqual([]);
  await hold();
  await registration.release(never);
  expect([...store.keys.keys()]).toEqual([]);
  await hold();
  await drop();
  await registration.release(never);
  expect([...store.keys.keys()]).toEqual([]);
});

test('neither the record may be written nor the lease revoked: the key goes all the same', async () => {
  const { store, hold, drop } = registrationOn();
  await hold();
  // etcd lets nobody revoke a lease that keeps a key which he may not write.
  store.beforeAnswer = (call) =>
    call.includes(recordKey) || call.startsWith('revoke')
      ? Promise.reject(new Error('permission denied'))
      : Promise.resolve();
  await expect(drop()).rejects.toThrow('permission denied');
  expect(store.keys.has(key)).toBe(false);
});

test('a key that is another’s by the time of the verdict is not deleted', async () => {
  const { store, hold, drop } = registrationOn();
  await hold();
  store.put(key, '127.0.0.1:9999', 'theirs');
  expect(await drop()).toEqual({ kind: 'absent' });
  expect(store.keys.get(key)).toMatchObject({ value: '127.0.0.1:9999', leaseId: 'theirs' });
});

test('the lease of the record runs out in etcd: the record is written again under a new one', async () => {
  const { store, clock, hold, drop } = registrationOn();
  await hold();
  await drop();
  store.expire('lease-2');
  await clock.advance(1000);
  expect(await drop()).toEqual({ kind: 'absent' });
  expect(store.keys.get(recordKey)).toMatchObject({ value: down, leaseId: 'lease-3' });
});

test('a record that says the right thing on no lease is put back on ours', async () => {
  const { store, hold, drop } = registrationOn();
  await hold();
  await drop();
  await drop();
  store.put(recordKey, down);
  expect(await drop()).toEqual({ kind: 'record repaired' });
  expect(store.keys.get(recordKey)?.leaseId).toBe('lease-2');
});

test('a lease of the record that could not be ended is ended at the next turn', async () => {
  const { store, hold, drop } = registrationOn();
  await hold();
  await drop();
  store.beforeAnswer = (call) =>
    call === 'revoke lease-2' ? Promise.reject(new Error('away')) : Promise.resolve();
  await expect(hold()).rejects.toThrow('away');
  store.beforeAnswer = () => Promise.resolve();
  store.calls.length = 0;
  expect(await hold()).toEqual({ kind: 'held' });
  expect(store.calls).toContain('revoke lease-2');
});

test('a lease that ran out is nobody’s hand: the key comes back with the next pass', async () => {
  const { registration, store, leases, hold } = registrationOn(fakeLeaseStore(), 'respect');
  await hold();
  store.expire('lease-1');
  expect(await registration.hold(undefined, up, never)).toEqual({ kind: 'absent' });
  expect(leases).toEqual(['granted', 'gone']);
  expect(await hold()).toEqual({ kind: 'written', because: 'absent' });
});

test('a removal of our own that was not finished is nobody’s hand', async () => {
  const { store, hold, drop } = registrationOn(fakeLeaseStore(), 'respect');
  await hold();
  store.beforeAnswer = (call) =>
    call.startsWith('revoke') ? Promise.reject(new Error('away')) : Promise.resolve();
  await expect(drop()).rejects.toThrow('away');
  expect(store.keys.has(key)).toBe(false);
  store.beforeAnswer = () => Promise.resolve();
  expect(await hold()).toEqual({ kind: 'written', because: 'absent' });
});
