import { expect, test } from 'vitest';
import { foldRotation, isInRotation, outOfRotation } from '../../../src/watchdog/drain/rotation.ts';
import { acknowledged, momentOf, saying } from '../../support/acknowledged.ts';
import { storedKey } from '../../support/builders.ts';

const rules = { name: 'apache-8001', balancers: 0 };
const held = { kind: 'held', revision: 20 } as const;
const key = storedKey('/test/apache-8001', '127.0.0.1:8001', { modRevision: 20 });
const yes = acknowledged(saying('lb1', 20));
const no = acknowledged(saying('lb2', 19));

test('it is in rotation once every live balancer serves the key as it was written', () => {
  const waits = foldRotation(outOfRotation, held, momentOf([yes, no], key), rules);
  expect(isInRotation(waits, held)).toBe(false);
  expect(waits.missing).toMatchObject([{ who: 'lb2 (pid 7)' }]);
  const done = foldRotation(waits, held, momentOf([yes], key), rules);
  expect(isInRotation(done, held)).toBe(true);
  expect(done).toMatchObject({ servedBy: ['lb1 (pid 7)'], missing: [] });
});

test('it then stays so, whatever a balancer that restarts says', () => {
  const done = foldRotation(outOfRotation, held, momentOf([yes], key), rules);
  expect(foldRotation(done, held, momentOf([yes, no], key), rules)).toBe(done);
});

test('a key that was written again is to be confirmed again; one that is lost is out', () => {
  const done = foldRotation(outOfRotation, held, momentOf([yes], key), rules);
  const again = { kind: 'held', revision: 30 } as const;
  expect(isInRotation(done, again)).toBe(false);
  const rewritten = { ...key, modRevision: 30 };
  expect(isInRotation(foldRotation(done, again, momentOf([yes], rewritten), rules), again)).toBe(
    false,
  );
  expect(foldRotation(done, { kind: 'gone', revision: 30 }, momentOf([yes]), rules)).toBe(
    outOfRotation,
  );
});

test('a look that does not show the key as it was written says nothing', () => {
  for (const seen of [undefined, { ...key, modRevision: 19 }]) {
    const folded = foldRotation(outOfRotation, held, momentOf([yes], seen), rules);
    expect(isInRotation(folded, held)).toBe(false);
  }
});

test('with nobody to wait for it is in rotation, unless there should be somebody', () => {
  const fold = (balancers: number) =>
    foldRotation(outOfRotation, held, momentOf([], key), { ...rules, balancers });
  expect(isInRotation(fold(0), held)).toBe(true);
  expect(fold(1).missing).toMatchObject([{ who: 'balancers' }]);
});
