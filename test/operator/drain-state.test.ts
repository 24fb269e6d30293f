import { expect, test } from 'vitest';
import {
  type DrainMemory,
  type DrainState,
  judgeDrain,
  nothingSeen,
} from '../../src/operator/drain-state.ts';
import type { Look } from '../../src/operator/look.ts';
import { acknowledgement, drained, keyUnder, look, order, places, recordAt } from './looks.ts';

const awaited = { places, until: 'confirmed', balancers: 1 } as const;
/** The key was seen before it went. */
const sawIt: DrainMemory = { ...nothingSeen, presentAt: 24 };
const judge = (seen: Partial<Look>, before: DrainMemory = sawIt, rest = {}) =>
  judgeDrain(before, look(seen), { ...awaited, ...rest });
/** One look after the other, each one revision later; the last judgement. */
function after(...looks: readonly Partial<Look>[]) {
  let memory = sawIt;
  let judged: ReturnType<typeof judge> | undefined;
  for (const [n, seen] of looks.entries()) {
    judged = judge({ revision: 30 + n, ...seen }, memory);
    memory = judged.memory;
  }
  return judged ?? expect.unreachable();
}

const byOperator = { drain: drained('operator') };
const gone = { order, record: recordAt(25, byOperator) };
const absentAt = (revision: number): DrainMemory => ({ ...nothingSeen, absentAt: revision });

/** Each state, with a look of which it is so. */
const states: Readonly<Record<DrainState['kind'], Partial<Look>>> = {
  'no order': { key: keyUnder('9') },
  'key there': { order, key: keyUnder('9') },
  'to ask': { order },
  confirming: { ...gone, acknowledgements: [acknowledgement('lb1', { revision: 24 })] },
  over: { ...gone, acknowledgements: [acknowledgement('lb1')] },
};

test.each(Object.entries(states))('%s', (kind, seen) => {
  expect(judge(seen).state.kind).toBe(kind);
});

test('it is over when all have confirmed, and there are as many as there must be', () => {
  const both = [acknowledgement('lb1'), acknowledgement('lb2', { revision: 24 })];
  expect(judge({ ...gone, acknowledgements: both }).state).toEqual({
    kind: 'confirming',
    by: {
      confirmed: ['lb1 (pid 7)'],
      missing: [{ who: 'lb2 (pid 7)', why: 'its nginx serves revision 24, and 25 is needed' }],
    },
  });
  const one = { ...gone, acknowledgements: [acknowledgement('lb1')] };
  expect(judge(one, sawIt, { balancers: 2 }).state.kind).toBe('confirming');
  expect(judge(gone).state.kind).toBe('confirming');
});

test('no balancer is there and none has to be: over at once, with nothing written', () => {
  expect(judge({ order }, sawIt, { balancers: 0 }).state).toEqual({
    kind: 'over',
    by: { confirmed: [], missing: [] },
  });
  const unproven = [acknowledgement('lb1', { revision: 0 })];
  const seen = { ...gone, acknowledgements: unproven };
  expect(judge(seen, sawIt, { balancers: 0 }).state.kind).toBe('confirming');
});

test.each([
  [true, 'confirming'],
  [null, 'confirming'],
  [false, 'over'],
] as const)('until finished, older generations live: %s: %s', (olderLive, kind) => {
  const seen = { ...gone, acknowledgements: [acknowledgement('lb1', { olderLive })] };
  expect(judge(seen, sawIt, { until: 'finished' }).state.kind).toBe(kind);
});

test('the key is there: nothing is confirmed, whatever balancers say', () => {
  const acknowledgements = [acknowledgement('lb1', { revision: 28 })];
  const { state } = judge({ ...gone, key: keyUnder('9'), acknowledgements }, absentAt(25));
  expect(state).toMatchObject({ kind: 'key there', again: true, watchdog: { host: 'web1' } });
});

test('that the key is there again is told from that it is still there', () => {
  expect(judge({ order, key: keyUnder('0') }).state).toMatchObject({ again: false });
  const judged = after(
    { ...gone, key: keyUnder('9') },
    { order, record: recordAt(31, byOperator) },
    { ...gone, key: keyUnder('0') },
  );
  expect(judged.state).toMatchObject({ kind: 'key there', again: true });
  const later = after(gone, { ...gone, key: keyUnder('0') }, { ...gone, key: keyUnder('0') });
  expect(later.state).toMatchObject({ kind: 'key there', again: true });
});

test('a record says nothing of an absence whose beginning nobody has seen', () => {
  const acknowledgements = [acknowledgement('lb1')];
  expect(judge({ ...gone, acknowledgements }, nothingSeen).state.kind).toBe('to ask');
});

test('a record from before the key was last seen says nothing of its absence', () => {
  const acknowledgements = [acknowledgement('lb1', { revision: 28 })];
  const judged = after({ ...gone, key: keyUnder('0') }, { ...gone, acknowledgements });
  expect(judged.state.kind).toBe('to ask');
});

test('nor does what was confirmed of an absence before it', () => {
  const acknowledgements = [acknowledgement('lb1', { revision: 28 })];
  expect(
    after(gone, { ...gone, key: keyUnder('0') }, { ...gone, acknowledgements }).state.kind,
  ).toBe('to ask');
});

test.each([
  ['no record', {}],
  ['a record without a drain', { record: recordAt(25) }],
  ['a record without a lease', { record: recordAt(25, byOperator, '0') }],
  ['a record that cannot be read', { record: { ...recordAt(25), value: 'x' } }],
])('%s: the order is put again as it is, while there is no key', (_what, rest) => {
  expect(judge({ order, ...rest }).state).toEqual({
    kind: 'to ask',
    guards: [
      { key: places.key, modRevision: 0 },
      { key: places.orderKey, modRevision: 20 },
    ],
    writes: [{ kind: 'put', key: places.orderKey, value: order.value, leaseId: '0' }],
  });
});

test('what was asked once is not asked again, and is what must be confirmed', () => {
  const acknowledgements = [acknowledgement('lb1', { revision: 26 })];
  expect(judge({ order, acknowledgements }, absentAt(27)).state.kind).toBe('confirming');
  expect(judge({ order, acknowledgements }, absentAt(26)).state.kind).toBe('over');
});

test('a later record of the same absence does not ask for more', () => {
  const acknowledgements = [acknowledgement('lb1', { revision: 25 })];
  const record = recordAt(28, byOperator);
  expect(judge({ order, record, acknowledgements }, absentAt(25)).state.kind).toBe('over');
});

test.each([
  ['the revision went back', { revision: 29 }],
  ['it is another cluster', { clusterId: 'd' }],
])('%s: all that was known is forgotten', (_what, rest) => {
  const before: DrainMemory = {
    ...nothingSeen,
    seen: { clusterId: 'c', revision: 30 },
    ...{ presentAt: 26, absentAt: 27 },
  };
  const judged = judge({ order, ...rest }, before);
  expect(judged).toMatchObject({ restored: true, state: { kind: 'to ask' } });
  expect(judged.memory).toMatchObject({ presentAt: 0, absentAt: undefined });
  expect(judge({ order }, before)).toMatchObject({ restored: false });
  expect(judge(rest, before).state.kind).toBe('no order');
});

test('what a restored etcd brought back is no confirmation', () => {
  const acknowledgements = [acknowledgement('lb1', { revision: 29 }, 29)];
  expect(judge({ ...gone, acknowledgements }).state).toMatchObject({
    by: { missing: [{ why: 'what it acknowledges is of before etcd was restored' }] },
  });
});
