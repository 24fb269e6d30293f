import { expect, test } from 'vitest';
import { type Awaited, confirmationsIn } from '../../src/registry/confirmation.ts';
import type { StoredKey } from '../../src/registry/store.ts';
import { acknowledged, momentOf, saying } from '../support/acknowledged.ts';
import { storedKey } from '../support/builders.ts';

const gone: Awaited = { kind: 'gone', revision: 20, until: 'confirmed' };
const finished: Awaited = { ...gone, until: 'finished' };
const served: Awaited = { kind: 'served', revision: 20, name: 'apache-8001' };

const missing = (awaited: Awaited, ...below: readonly StoredKey[]) =>
  confirmationsIn(momentOf(below), awaited).missing.map(({ who, why }) => `${who}: ${why}`);

test('all live balancers have to have confirmed the revision, each by its host', () => {
  const below = [acknowledged(saying('lb1', 20)), acknowledged(saying('lb2', 31))];
  for (const awaited of [gone, finished, served]) {
    expect(confirmationsIn(momentOf(below), awaited)).toEqual({
      confirmed: ['lb1 (pid 7)', 'lb2 (pid 7)'],
      missing: [],
    });
  }
  expect(missing(gone, ...below, acknowledged(saying('lb3', 19)))).toEqual([
    'lb3 (pid 7): its nginx serves revision 19, and 20 is needed',
  ]);
});

test.each<readonly [what: string, awaited: Awaited, stored: StoredKey, why: string]>([
  ['it has just joined', gone, acknowledged(saying('lb', 0), 90), 'not proven to serve'],
  [
    'it speaks of another store',
    gone,
    acknowledged(saying('lb', 50, { cluster: 'x' })),
    'another etcd',
  ],
  [
    'a restored etcd brought it, or took it from before',
    ...([gone, acknowledged(saying('lb', 50), 50), 'before etcd was restored'] as const),
  ],
  [
    'it has the key quarantined',
    served,
    acknowledged(saying('lb', 20, { omits: ['apache-8001'] })),
    'quarantined',
  ],
  [
    'it leaves out more than it names',
    served,
    acknowledged(saying('lb', 20, { omitsMore: true })),
    'more keys',
  ],
  ['old workers live', finished, acknowledged(saying('lb', 20, { olderLive: true })), 'still live'],
  [
    'its workers cannot be seen',
    finished,
    acknowledged(saying('lb', 20, { olderLive: null })),
    'cannot see',
  ],
  ['it cannot be read', gone, storedKey('/rollcall/balancers/test/one', '{}'), 'is no text'],
])('%s: it has not confirmed', (_, awaited, stored, why) => {
  expect(missing(awaited, stored)).toEqual([expect.stringContaining(why)]);
});

test('one of a greater format is waited for, by its host, and confirms nothing of what it seems to say', () => {
  const stored = acknowledged(saying('lb2', 50));
  const later = { ...stored, value: JSON.stringify({ ...JSON.parse(stored.value), format: 2 }) };
  const why =
    'lb2 (pid 7): its acknowledgement: it is of format 2, and this rollcall knows 1: upgrade this one';
  for (const awaited of [gone, finished, served]) {
    expect(missing(awaited, stored)).toEqual([]);
    expect(missing(awaited, acknowledged(saying('lb1', 20)), later)).toEqual([why]);
  }
});

test('one of a greater format that says nothing known is named by its key', () => {
  const stored = storedKey('/rollcall/balancers/test/one', '{"format":2,"host":{"name":"lb2"}}');
  expect(missing(gone, stored)).toEqual([expect.stringMatching(/^one: .* is of format 2, /)]);
});

test('what is left out, and old workers, are no matter for a drain until it is confirmed', () => {
  const said = saying('lb', 20, { omits: ['apache-8001'], omitsMore: true, olderLive: true });
  expect(missing(gone, acknowledged(said))).toEqual([]);
  expect(
    missing({ ...served, name: 'apache-8002' }, acknowledged({ ...said, omitsMore: false })),
  ).toEqual([]);
});

test('with fewer alive than there should be, one is missing', () => {
  const moment = momentOf([acknowledged(saying('lb1', 20))]);
  expect(confirmationsIn(moment, gone, 1).missing).toEqual([]);
  expect(confirmationsIn(moment, gone, 2).missing).toEqual([
    { who: 'balancers', why: '1 of at least 2 are alive' },
  ]);
});
