import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCulprits } from '../../../src/balancer/rollout/bisect.ts';

/** Counts its questions; refuses whatever holds all of one of `bad`. */
function judge(bad: readonly (readonly number[])[]) {
  const asked: number[] = [];
  const faultOf = async (some: readonly number[]) => {
    asked.push(some.length);
    const found = bad.find((together) => together.every((one) => some.includes(one)));
    return found && `refused for ${found.join(' with ')}`;
  };
  return { asked, faultOf };
}

const many = Array.from({ length: 10_000 }, (_, n) => n);
const always = () => true;

test('where all are accepted nobody is a culprit, for one question', async () => {
  const { asked, faultOf } = judge([]);
  expect(await findCulprits(many, faultOf, always)).toEqual({ culprits: [], complete: true });
  expect(asked).toEqual([10_000]);
});

test('one of ten thousand is found, with its reason, in about log2 of them', async () => {
  const { asked, faultOf } = judge([[7777]]);
  const { culprits } = await findCulprits(many, faultOf, always);
  expect(culprits).toEqual([{ member: 7777, reason: 'refused for 7777' }]);
  expect(asked.length).toBeLessThanOrEqual(16);
});

test('two that only fail together cost one of them', async () => {
  const { culprits } = await findCulprits(many, judge([[10, 9000]]).faultOf, always);
  expect(culprits).toEqual([{ member: 9000, reason: 'refused for 10 with 9000' }]);
});

test('when the questions run out, what was found stands', async () => {
  const { asked, faultOf } = judge([[3], [5000]]);
  const search = await findCulprits(many, faultOf, () => asked.length < 18);
  expect(search.complete).toBe(false);
  expect(search.culprits.map(({ member }) => member)).toEqual([3]);
});

test('answers that contradict each other end the search', async () => {
  const search = await findCulprits([1, 2], async () => 'never', always);
  expect(search).toMatchObject({ complete: false });
  expect(search.culprits).toHaveLength(2);
});

test('whoever is kept is accepted together, and nobody is left out in vain', async () => {
  const anyBad = fc.array(fc.uniqueArray(fc.nat(29), { minLength: 1, maxLength: 3 }), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(anyBad, async (bad) => {
      const members = many.slice(0, 30);
      const { faultOf } = judge(bad);
      const { culprits, complete } = await findCulprits(members, faultOf, always);
      const out = new Set(culprits.map(({ member }) => member));
      const kept = members.filter((one) => !out.has(one));
      expect(complete).toBe(true);
      expect(await faultOf(kept)).toBeUndefined();
      for (const { member } of culprits) {
        const before = kept.filter((one) => one < member);
        expect(await faultOf([...before, member])).toBeDefined();
      }
    }),
  );
});
