import { expect, test, vi } from 'vitest';
import { drainedIn, drainsIn } from '../../../src/balancer/pool/drains.ts';
import { drainOrderKey, formatDrainOrder } from '../../../src/registry/drain-order.ts';
import { recordKey } from '../../../src/registry/record.ts';
import { firstSnapshot, foldEvents } from '../../../src/registry/snapshot.ts';
import type { StoredKey } from '../../../src/registry/store.ts';
import { recordOf, storedKey } from '../../support/builders.ts';

const since = '2026-01-01T00:00:00.000Z';
const nameOf = (name: string) => recordKey('/rollcall', `/test/${name}`);

const record = (name: string, modRevision: number, drain: { by: string; since: string } | null) =>
  storedKey(nameOf(name), JSON.stringify(recordOf({ drain })), { modRevision, leaseId: '7' });
const drained = (name: string, modRevision: number, by = 'operator') =>
  record(name, modRevision, { by, since });
const order = (name: string, modRevision: number, value = '') =>
  storedKey(drainOrderKey('/rollcall', `/test/${name}`), value, { modRevision });

const records = (...keys: readonly StoredKey[]) =>
  firstSnapshot({ clusterId: 'one', revision: 90, keys });
const put = (stored: StoredKey) => ({ kind: 'put', stored }) as const;

test('the newest of the orders and of the records of who is drained is asked for', () => {
  expect(drainsIn(undefined).revision).toBe(0);
  expect(drainsIn(records(record('a', 80, null))).revision).toBe(0);
  expect(drainsIn(records(record('a', 80, null), drained('b', 40), order('c', 30))).revision).toBe(
    40,
  );
  expect(drainsIn(records(drained('b', 40), order('c', 50))).revision).toBe(50);
});

test('a record without a lease tells of nothing', () => {
  expect(drainsIn(records({ ...drained('a', 80), leaseId: '0' })).revision).toBe(0);
});

test('from copy to copy it follows what changes, and only that is read', () => {
  const many = Array.from({ length: 1000 }, (_, n) => record(`m${n}`, 5, null));
  const first = records(...many, drained('a', 40));
  const before = drainsIn(first);
  const parse = vi.spyOn(JSON, 'parse');
  const elsewhere = foldEvents(first, [put(record('m7', 91, null))]);
  expect(drainsIn(elsewhere)).toBe(before);
  const more = foldEvents(elsewhere, [put(order('b', 95)), put(drained('m3', 94))]);
  expect(drainsIn(more).revision).toBe(95);
  const fewer = foldEvents(more, [
    { kind: 'delete', key: order('b', 95).key, modRevision: 96 },
    put(record('m3', 97, null)),
  ]);
  expect(drainsIn(fewer).revision).toBe(40);
  expect(parse.mock.calls.length).toBeLessThan(20);
  parse.mockRestore();
});

const told = (keys: readonly string[], ...all: readonly StoredKey[]) =>
  drainedIn(
    '/test',
    '/rollcall',
    new Map(keys.map((key) => [key, storedKey(key, '127.0.0.1:1')])),
    records(...all),
  );

test('who is drained is told with address and reason, in order', () => {
  expect(told([], drained('b', 40), drained('a', 41, 'shutdown'))).toEqual([
    {
      ...{ key: '/test/a', address: '127.0.0.1:8001' },
      reason: `drained by shutdown since ${since}`,
    },
    {
      ...{ key: '/test/b', address: '127.0.0.1:8001' },
      reason: `drained by operator since ${since}`,
    },
  ]);
});

test('where there is an order, in its words; without a record nobody knows the address', () => {
  const text = formatDrainOrder({ by: 'joe@lb1', at: since, reason: 'new disk', value: null });
  expect(told([], order('a', 40, text), record('a', 39, null), order('b', 41))).toEqual([
    {
      ...{ key: '/test/a', address: '127.0.0.1:8001' },
      reason: `drained by joe@lb1 since ${since}: new disk`,
    },
    { key: '/test/b', address: null, reason: 'drained by somebody, by hand' },
  ]);
});

test('whose key is there is not drained yet; what can be no key is nobody', () => {
  expect(told(['/test/a'], drained('a', 40), order('a/b', 41), order('\n', 42))).toEqual([]);
});
