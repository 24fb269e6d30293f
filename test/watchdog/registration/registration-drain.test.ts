import { expect, test } from 'vitest';
import { formatRecord } from '../../../src/registry/record.ts';
import { recordOf } from '../../support/builders.ts';
import { fakeLeaseStore } from '../../support/fake-lease-store.ts';
import {
  down,
  key,
  orderKey,
  recordKey,
  registrationOn,
  up,
  value,
} from '../../support/registering.ts';
import { never } from '../../support/virtual-clock.ts';

const revisionOf = (store: ReturnType<typeof fakeLeaseStore>, which: string) =>
  store.keys.get(which)?.modRevision;

test('it knows at which revision its key was written, and at which it went', async () => {
  const { registration, store, hold, drop } = registrationOn();
  expect(registration.standing).toEqual({ kind: 'unknown' });
  await hold();
  const written = { kind: 'held', revision: revisionOf(store, key) };
  expect(registration.standing).toMatchObject({ kind: 'held' });
  await hold();
  expect(registration.standing).toEqual(written);
  await drop();
  const went = registration.standing;
  expect(went).toMatchObject({ kind: 'gone' });
  await drop();
  expect(registration.standing).toEqual(went);
});

test('while the key is being removed it is held; if that fails nothing is known', async () => {
  const { registration, store, hold, drop } = registrationOn();
  await hold();
  const held = registration.standing;
  const seen: unknown[] = [];
  store.beforeAnswer = async (call) => {
    seen.push(registration.standing);
    if (call.startsWith('revoke')) throw new Error('etcd is away');
  };
  await expect(drop()).rejects.toThrow('etcd is away');
  expect(new Set(seen)).toEqual(new Set([held]));
  expect(registration.standing).toEqual({ kind: 'unknown' });
});

test('what the record says anew, in a store that has forgotten nothing, moves nothing', async () => {
  const { registration, failed, hold, drop } = registrationOn();
  await hold();
  await drop();
  await drop();
  const went = registration.standing;
  const drained = formatRecord(
    recordOf({ instance: 'us', drain: { by: 'shutdown', since: '2026-01-01T00:00:00.000Z' } }),
  );
  expect(await registration.drop(failed(), drained, never)).toEqual({ kind: 'absent' });
  expect(registration.standing).toEqual(went);
});

test('a key that was never held is gone as of the revision at which the record says so', async () => {
  const { registration, store, drop } = registrationOn();
  await drop();
  expect(registration.standing).toEqual({ kind: 'gone', revision: revisionOf(store, recordKey) });
});

test('a record that is lost, as in a store that was wiped, is written again, and counts anew', async () => {
  const { registration, store, hold, drop } = registrationOn();
  await hold();
  await drop();
  store.remove(recordKey);
  await drop();
  expect(registration.standing).toEqual({ kind: 'gone', revision: revisionOf(store, recordKey) });
});

test('our own key, brought back by a restored etcd, is removed again', async () => {
  const { registration, store, hold, drop } = registrationOn();
  await hold();
  await drop();
  store.put(key, value, 'of-old');
  store.put(recordKey, up, 'of-old');
  expect(await drop()).toEqual({ kind: 'removed' });
  expect(store.keys.has(key)).toBe(false);
  expect(store.keys.get(recordKey)?.value).toBe(down);
  expect(registration.standing).toMatchObject({ kind: 'gone' });
});

test('a key that was another’s in between is gone as of a revision of now, not of before', async () => {
  const { registration, store, hold, drop } = registrationOn();
  await hold();
  await drop();
  await drop();
  const went = registration.standing;
  store.put(key, '127.0.0.1:9999');
  await drop();
  expect(registration.standing).toEqual({ kind: 'not ours' });
  store.remove(key);
  await drop();
  expect(registration.standing).toEqual({ kind: 'gone', revision: revisionOf(store, recordKey) });
  expect(registration.standing).not.toEqual(went);
});

test('a key that comes while its absence is being told is not told to be gone', async () => {
  const { registration, store, drop } = registrationOn();
  store.beforeAnswer = async (call) => {
    if (call.startsWith(`put ${recordKey}`)) store.put(key, '127.0.0.1:9999');
  };
  await drop();
  expect(registration.standing).toEqual({ kind: 'unknown' });
});

test('where the record is another’s, the drain is too', async () => {
  const { registration, store, drop } = registrationOn();
  store.put(recordKey, formatRecord(recordOf({ instance: 'them' })), 'theirs');
  await drop();
  expect(registration.standing).toEqual({ kind: 'not ours' });
});

test('another’s key, and one put by hand, are not ours to drain', async () => {
  for (const lease of ['theirs', '0']) {
    const { registration, store, drop } = registrationOn();
    store.put(key, '127.0.0.1:9999', lease);
    expect(await drop()).toEqual({ kind: 'absent' });
    expect(registration.standing).toEqual({ kind: 'not ours' });
    expect(store.keys.has(key)).toBe(true);
  }
});

test('while an order stands nothing is granted and nothing written', async () => {
  const { registration, store, hold } = registrationOn();
  store.put(orderKey, '{"by":"ada@web1"}');
  expect(await hold()).toEqual({ kind: 'ordered out' });
  expect(store.calls).toEqual(['read']);
  expect(registration.order).toMatchObject({ by: 'ada@web1' });
  store.remove(orderKey);
  expect(await hold()).toEqual({ kind: 'written', because: 'absent' });
  expect(registration.order).toBeUndefined();
});

test('an order that comes between the reading and the writing is honoured', async () => {
  const { store, hold } = registrationOn();
  store.beforeAnswer = async (call) => {
    if (call.startsWith('put')) store.put(orderKey, '');
  };
  await expect(hold()).rejects.toThrow('the key changed');
  expect(store.keys.has(key)).toBe(false);
});
