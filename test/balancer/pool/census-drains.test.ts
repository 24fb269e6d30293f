import { expect, test } from 'vitest';
import { type Census, foldCensus, unknownCensus } from '../../../src/balancer/pool/census.ts';
import { drainOrderKey } from '../../../src/registry/drain-order.ts';
import type { MirrorView } from '../../../src/registry/mirror.ts';
import { recordKey } from '../../../src/registry/record.ts';
import { firstSnapshot, foldEvents, type Snapshot } from '../../../src/registry/snapshot.ts';
import type { StoredKey, StoreEvent } from '../../../src/registry/store.ts';
import { recordOf, service, storedKey } from '../../support/builders.ts';

const rule = { windowMs: 2000, holdMs: 10_000, share: 0.5 };
const since = '2026-01-01T00:00:00.000Z';
const keys = ['a', 'b', 'c'].map((name, n) => storedKey(`/test/${name}`, `127.0.0.1:${8001 + n}`));

const copy = (revision: number, stored: readonly StoredKey[]): Snapshot =>
  firstSnapshot({ clusterId: 'one', revision, keys: stored });
const viewOf = (snapshot: Snapshot): MirrorView => ({
  ...{ snapshot, connected: true, listedAtMs: 0, trouble: undefined },
});
const drained = (name: string, modRevision: number) =>
  storedKey(
    recordKey('/rollcall', `/test/${name}`),
    JSON.stringify(recordOf({ drain: { by: 'operator', since } })),
    { modRevision, leaseId: '7' },
  );
const order = (name: string, modRevision: number) =>
  storedKey(drainOrderKey('/rollcall', `/test/${name}`), 'go', { modRevision });
const gone = (name: string, modRevision: number): StoreEvent => ({
  ...{ kind: 'delete', key: `/test/${name}`, modRevision },
});

const fold = (before: Census, known: Snapshot, records: readonly StoredKey[], nowMs = 0) =>
  foldCensus(
    before,
    { view: viewOf(known), records: viewOf(copy(1, records)), recordPrefix: '/rollcall' },
    nowMs,
    rule,
  );
const first = copy(50, keys);
const start = fold(unknownCensus(service()), first, []);
const names = ({ served }: Census) => served.map(({ name }) => name).join('');

test('a drain of a key that is gone long since is reflected once the keys are known as of then', () => {
  expect(fold(start, first, [order('z', 60)]).reflects).toBe(50);
  // Nor is anything in between said: nobody waits for that.
  expect(fold(start, { ...first, revision: 55 }, [order('z', 60)]).reflects).toBe(50);
  const later = { ...first, revision: 60 };
  expect(fold(start, later, [order('z', 60)]).reflects).toBe(60);
  expect(fold(start, { ...first, revision: 80 }, [drained('z', 70)]).reflects).toBe(70);
});

test('what was reflected once stays so when the order is taken back', () => {
  const asked = fold(start, { ...first, revision: 60 }, [order('z', 60)]);
  expect(fold(asked, { ...first, revision: 62 }, []).reflects).toBe(60);
});

test('a drain waits for a loss beside it that nobody explains', () => {
  const lost = foldEvents(first, [gone('a', 60)]);
  const open = fold(start, lost, [], 10);
  expect([names(open), open.reflects]).toEqual(['bc', 50]);
  const both = foldEvents(lost, [gone('b', 61)]);
  const next = fold(open, both, [drained('b', 61)], 20);
  expect([names(next), next.reflects]).toEqual(['c', 50]);
  expect(fold(next, both, [drained('b', 61)], 2010).reflects).toBe(61);
});

test('two of three drained one after the other: neither is held, each is reflected at once', () => {
  const one = foldEvents(first, [gone('a', 60)]);
  const of = [drained('a', 60)];
  const open = fold(start, one, of, 10);
  expect([names(open), open.reflects]).toEqual(['bc', 60]);
  const two = fold(open, foldEvents(one, [gone('b', 65)]), [...of, drained('b', 65)], 500);
  expect([names(two), two.reflects]).toEqual(['c', 65]);
});

test('an order explains the loss of its key, and of no other', () => {
  const both = foldEvents(first, [gone('a', 60), gone('b', 61)]);
  const census = fold(start, both, [order('a', 40)], 10);
  expect([names(census), census.reflects]).toEqual(['c', 50]);
});

test('who is drained is told, by the same array until something changes', () => {
  const both = foldEvents(first, [gone('a', 60)]);
  const records = viewOf(copy(1, [drained('a', 60)]));
  const seen = { view: viewOf(both), records, recordPrefix: '/rollcall' };
  const census = foldCensus(start, seen, 10, rule);
  expect(census.drained).toMatchObject([{ key: '/test/a', address: '127.0.0.1:8001' }]);
  expect(foldCensus(census, seen, 20, rule).drained).toBe(census.drained);
});
