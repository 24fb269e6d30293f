import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { differenceOf } from '../../../src/balancer/rollout/difference.ts';
import type { Backend } from '../../../src/registry/backend.ts';
import { backend, service } from '../../support/builders.ts';

const a = backend('a', 8001);
const b = backend('b', 8002);
const c = backend('c', 8003);
const of = (...backends: readonly Backend[]) => [{ service: service(), backends }];

test.each([
  ['the same objects', [a, b], [a, b], 'none'],
  ['equal ones', [a, b], [backend('a', 8001), backend('b', 8002)], 'none'],
  ['one more, first', [b, c], [a, b, c], 'gained'],
  ['one more, in between', [a, c], [a, b, c], 'gained'],
  ['one more, last', [a, b], [a, b, c], 'gained'],
  ['the first of all', [], [a], 'gained'],
  ['another weight', [a, b], [{ ...a, weight: 5 }, b], 'gained'],
  ['other metadata', [a, b], [a, { ...b, meta: { zone: 'b' } }], 'gained'],
  ['the same address under another key', [a, b], [a, backend('z', 8002)], 'gained'],
  ['another address', [a, b], [a, backend('b', 9002)], 'moved'],
  ['two that changed places', [a, b], [backend('a', 8002), backend('b', 8001)], 'gained'],
  ['one less, first', [a, b, c], [b, c], 'lost'],
  ['one less, last', [a, b, c], [a, b], 'lost'],
  ['one less and one more', [a, b], [b, c], 'lost'],
  ['one less, and one at another address', [a, b], [backend('b', 9002)], 'lost'],
  ['the last of all', [a], [], 'lost'],
] as const)('%s', (_what, before, after, difference) => {
  expect(differenceOf(of(...before), of(...after))).toBe(difference);
});

test('of several services the most urgent difference counts', () => {
  const before = [...of(a), ...of(b)];
  expect(differenceOf(before, [...of(a, c), ...of(b)])).toBe('gained');
  expect(differenceOf(before, [...of(a, c), ...of()])).toBe('lost');
});

test('it is a removal just when an address is no longer there', () => {
  const anyPool = fc
    .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 9 })), {
      selector: ([name]) => name,
      maxLength: 8,
    })
    .map((pairs) =>
      pairs
        .toSorted(([one], [other]) => one - other)
        .map(([name, port]) => backend(`n${name}`, port)),
    );
  fc.assert(
    fc.property(anyPool, anyPool, (before, after) => {
      const addresses = new Set(after.map(({ address }) => address));
      const goes = before.some(({ address }) => !addresses.has(address));
      const difference = differenceOf(of(...before), of(...after));
      expect(difference === 'lost' || difference === 'moved').toBe(goes);
    }),
  );
});
