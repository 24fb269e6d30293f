import { expect, test } from 'vitest';
import {
  accepted,
  foldQuarantine,
  nobodyQuarantined,
  type Quarantine,
  quarantined,
  withoutQuarantined,
} from '../../../src/balancer/rollout/quarantine.ts';
import type { Backend } from '../../../src/registry/backend.ts';
import { backend, service } from '../../support/builders.ts';

const a = backend('a', 8001);
const b = backend('b', 8002);
const of = (...backends: readonly Backend[]) => [{ service: service(), backends }];
const set = (before: Quarantine, who: Backend, nowMs: number) =>
  quarantined(before, [{ member: who, reason: 'unknown directive' }], nowMs, () => 1);
const left = (quarantine: Quarantine, nowMs: number, ...backends: readonly Backend[]) =>
  withoutQuarantined(of(...backends), quarantine, nowMs)[0]?.backends;

test('with nobody quarantined everything stays the same object', () => {
  const served = of(a, b);
  expect(withoutQuarantined(served, nobodyQuarantined, 0)).toBe(served);
});

test('who is quarantined is left out, with a reason, and the others stay', () => {
  const quarantine = set(nobodyQuarantined, b, 0);
  expect(left(quarantine, 0, a, b)).toEqual([a]);
  expect(quarantine.get(b.key)).toMatchObject({ reason: 'unknown directive', attempts: 1 });
});

test('it is tried again after a minute, then less and less often, to a bound', () => {
  let quarantine = nobodyQuarantined;
  const pauses = Array.from({ length: 7 }, () => {
    quarantine = set(quarantine, b, 0);
    return quarantine.get(b.key)?.retryAtMs ?? 0;
  });
  expect(pauses).toEqual([60_000, 120_000, 240_000, 480_000, 900_000, 900_000, 900_000]);
  expect(left(set(nobodyQuarantined, b, 0), 59_999, a, b)).toEqual([a]);
  expect(left(set(nobodyQuarantined, b, 0), 60_000, a, b)).toEqual([a, b]);
});

test('another value is another backend, and is tried at once', () => {
  const quarantine = set(nobodyQuarantined, b, 0);
  const moved = backend('b', 9002);
  expect(left(quarantine, 1, a, moved)).toEqual([a, moved]);
  expect(left(quarantine, 1, a, { ...b, weight: 3 })).toHaveLength(2);
  expect(left(quarantine, 1, a, { ...b, meta: { zone: 'a' } })).toHaveLength(2);
  expect(left(quarantine, 1, a, backend('b', 8002))).toEqual([a]);
});

test('who is gone, or there with another value, is forgotten', () => {
  const quarantine = set(nobodyQuarantined, b, 0);
  expect(foldQuarantine(quarantine, of(a, b))).toBe(quarantine);
  expect(foldQuarantine(quarantine, of(a)).size).toBe(0);
  expect(foldQuarantine(quarantine, of(a, backend('b', 9002))).size).toBe(0);
});

test('who is in a file that nginx accepted is quarantined no more', () => {
  const both = set(set(nobodyQuarantined, b, 0), a, 0);
  expect([...accepted(both, of(a)).keys()]).toEqual([b.key]);
  expect(accepted(nobodyQuarantined, of(a))).toBe(nobodyQuarantined);
});
