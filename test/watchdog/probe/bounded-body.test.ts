import { expect, test } from 'vitest';
import { textMatch } from '../../../src/watchdog/probe/body-match.ts';
import { boundedBody } from '../../../src/watchdog/probe/bounded-body.ts';
import { heldBytes } from './held-bytes.ts';

const limitBytes = 1024 * 1024;

test('a body that comes a byte at a time takes no more than one that comes at once', () => {
  const body = boundedBody(textMatch('ready'), limitBytes);
  const text = Buffer.from('.'.repeat(limitBytes - 5).concat('ready'));
  const before = heldBytes();
  for (let n = 0; n < limitBytes; n += 1) {
    if (body.add(text.subarray(n, n + 1))) throw new Error('full too soon');
  }
  // A piece by itself would cost some 140 bytes.
  expect(heldBytes() - before).toBeLessThan(8 * limitBytes);
  expect(body.judge(true)).toEqual({ passed: true });
});

test.each([1, 4095, 4096, 4097, 10_000])('with a limit of %i the last byte counts', (limit) => {
  const text = Buffer.from('.'.repeat(limit - 1).concat('!', 'beyond'));
  for (const step of [1, 7, 4096, 100_000]) {
    const body = boundedBody(textMatch('!'), limit);
    const beyond = boundedBody(textMatch('!b'), limit);
    for (let n = 0; n < text.length; n += step) {
      const isFull = Math.min(n + step, text.length) > limit;
      expect(body.add(text.subarray(n, n + step))).toBe(isFull);
      beyond.add(text.subarray(n, n + step));
    }
    expect(body.judge(false)).toEqual({ passed: true });
    expect(beyond.judge(false)).toMatchObject({ passed: false, kind: 'body' });
  }
});
