import { expect, test } from 'vitest';
import {
  type Census,
  fallenBack,
  foldCensus,
  type Remembered,
  unknownCensus,
} from '../../../src/balancer/pool/census.ts';
import { type MirrorView, nothingKnown } from '../../../src/registry/mirror.ts';
import { firstSnapshot, foldEvents } from '../../../src/registry/snapshot.ts';
import { backend, service, storedKey } from '../../support/builders.ts';

const rule = { windowMs: 2000, holdMs: 10_000, share: 0.5 };
const key = (name: string, port: number) => storedKey(`/test/${name}`, `127.0.0.1:${port}`);

interface Store {
  readonly revision?: number;
  readonly clusterId?: string;
  readonly listedAtMs?: number;
}

const viewOf = (
  keys: readonly ReturnType<typeof key>[],
  { revision = 50, clusterId = 'one', listedAtMs = 0 }: Store = {},
): MirrorView => ({
  snapshot: firstSnapshot({ clusterId, revision, keys }),
  ...{ connected: true, listedAtMs, trouble: undefined },
});

const fold = (before: Census, view: MirrorView, nowMs = 0) =>
  foldCensus(before, { view, records: nothingKnown, recordPrefix: '/rollcall' }, nowMs, rule);
const names = ({ served }: Census) => served.map(({ name }) => name).join('');

const kept: Remembered = {
  ...{ clusterId: 'one', revision: 40 },
  backends: [backend('a', 8001), backend('b', 8002), backend('c', 8003)],
};

test('before the first listing nothing is known, which is not nobody', () => {
  const census = fold(unknownCensus(service()), nothingKnown);
  expect(census.source).toBe('nowhere');
  expect(fallenBack(census, 60_000, true)).toBe(census);
});

test('what was kept is served when etcd is in trouble, or has had its time', () => {
  const start = unknownCensus(service(), kept);
  expect(fallenBack(start, 1999, false)).toBe(start);
  expect(names(fallenBack(start, 2000, false))).toBe('abc');
  const away = fold(start, { ...nothingKnown, trouble: 'connection refused' });
  expect(fallenBack(away, 10, false)).toMatchObject({ source: 'disk', reflects: 0 });
});

test('a service that was never kept is one without backends, if etcd speaks of others', () => {
  const never = unknownCensus(service(), undefined, 'never');
  expect(fallenBack(never, 60_000, false)).toBe(never);
  expect(fallenBack(never, 2000, true)).toMatchObject({ source: 'disk', served: [] });
});

test('the first listing wins; what it misses of the kept is lost like any other', () => {
  const start = fallenBack(unknownCensus(service(), kept), 2000, false);
  expect(names(fold(start, viewOf([key('a', 8001), key('b', 8002)])))).toBe('ab');
  expect(names(fold(start, viewOf([key('a', 8001)])))).toBe('abc');
});

test('kept from another store, or from a later revision of it: even a single loss is held', () => {
  const start = unknownCensus(service(), kept);
  const without = [key('a', 8001), key('b', 8002)];
  expect(names(fold(start, viewOf(without, { revision: 39 })))).toBe('abc');
  expect(names(fold(start, viewOf(without, { clusterId: 'two' })))).toBe('abc');
});

test('while the keys are the same nothing is made anew', () => {
  const view = viewOf([key('a', 8001), key('b', 8002)]);
  const first = fold(unknownCensus(service()), view);
  const later = fold(first, { ...view, listedAtMs: 4000 }, 4000);
  expect(later.pool).toBe(first.pool);
  expect(later.served).toBe(first.served);
});

test('it reflects the revision of the last change of its own keys, not of the store', () => {
  const view = viewOf([key('a', 8001)]);
  const first = fold(unknownCensus(service()), view);
  expect(first.reflects).toBe(50);
  const snapshot = view.snapshot && { ...view.snapshot, revision: 60, listedRevision: 60 };
  const elsewhere = fold(first, { ...view, snapshot });
  expect(elsewhere.reflects).toBe(50);
  const put = { kind: 'put', stored: { ...key('b', 8002), modRevision: 70 } } as const;
  const changed = { ...view, snapshot: snapshot && foldEvents(snapshot, [put]) };
  expect(fold(elsewhere, changed).reflects).toBe(70);
});

test('a change that changes no backend counts all the same: somebody may wait for its revision', () => {
  const view = viewOf([key('a', 8001)]);
  const first = fold(unknownCensus(service()), view);
  const put = { kind: 'put', stored: { ...key('a', 8001), modRevision: 70 } } as const;
  const snapshot = view.snapshot && foldEvents(view.snapshot, [put]);
  expect(fold(first, { ...view, snapshot }).reflects).toBe(70);
});
