import { expect, test } from 'vitest';
import { Wakeup } from '../../src/lib/wakeup.ts';
import { never, virtualClock } from '../support/virtual-clock.ts';

/** Waits, and notes when it was over. */
function waiting(bell: Wakeup, signal = never) {
  const clock = virtualClock();
  const seen: { endedAtMs?: number } = {};
  const wait = () =>
    bell.wait(1000, clock, signal).then(() => {
      seen.endedAtMs = clock.now();
    });
  return { clock, seen, wait };
}

test('without a ring it ends after its time', async () => {
  const { clock, seen, wait } = waiting(new Wakeup());
  void wait();
  await clock.advance(5000);
  expect(seen.endedAtMs).toBe(1000);
});

test('a ring ends the wait at once', async () => {
  const bell = new Wakeup();
  const { clock, seen, wait } = waiting(bell);
  void wait();
  await clock.advance(10);
  bell.ring();
  await clock.advance(10);
  expect(seen.endedAtMs).toBe(10);
});

test('rings while nobody waits are kept, as one', async () => {
  const bell = new Wakeup();
  const { clock, seen, wait } = waiting(bell);
  bell.ring();
  bell.ring();
  await wait();
  expect(seen.endedAtMs).toBe(0);
  void wait();
  await clock.advance(5000);
  expect(seen.endedAtMs).toBe(1000);
});

test('an abort ends the wait', async () => {
  const stop = new AbortController();
  const { clock, seen, wait } = waiting(new Wakeup(), stop.signal);
  void wait();
  await clock.advance(10);
  stop.abort();
  await clock.advance(10);
  expect(seen.endedAtMs).toBe(10);
});
