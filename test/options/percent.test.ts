import { expect, test } from 'vitest';
import { percent } from '../../src/options/percent.ts';
import { BadValue } from '../../src/options/values.ts';

test.each([
  ['0%', 0],
  ['50%', 0.5],
  ['33.3%', 0.333],
  ['100%', 1],
])('%s is %d', (text, share) => {
  expect(percent(text)).toBeCloseTo(share, 10);
});

test.each(['', '50', '%', '101%', '100.1%', '-1%', '1e1%', '50 %', '.5%', '50%%'])(
  '%j is no share',
  (text) => {
    expect(() => percent(text)).toThrow(BadValue);
  },
);
