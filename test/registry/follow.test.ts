import { expect, test } from 'vitest';
import { follow } from '../../src/registry/follow.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const places = [{ key: '/test/apache-8001' }];

test('each watch that ends rings once, and the next one comes later and later, up to 10 s', async () => {
  const clock = virtualClock();
  const stop = new AbortController();
  const beganAtMs: number[] = [];
  let rings = 0;
  const ended = follow(
    places,
    {
      ...{ clock, random: () => 0, onChange: () => (rings += 1) },
      store: {
        watchPlaces: async () => {
          beganAtMs.push(clock.now());
          throw new Error('etcd ended the watch');
        },
      },
    },
    stop.signal,
  );
  await clock.advance(20_000);
  expect(beganAtMs).toEqual([0, 250, 750, 1750, 3750, 7750, 12_750, 17_750]);
  expect(rings).toBe(beganAtMs.length);
  stop.abort();
  await clock.advance(0);
  await ended;
});

test('a watch that was sound for long is followed by another one soon', async () => {
  const clock = virtualClock();
  const stop = new AbortController();
  const beganAtMs: number[] = [];
  const ended = follow(
    places,
    {
      ...{ clock, random: () => 0, onChange: () => {} },
      store: {
        watchPlaces: async (_, __, signal) => {
          beganAtMs.push(clock.now());
          await clock.sleep(beganAtMs.length < 6 ? 0 : 60_000, signal);
          throw new Error('etcd ended the watch');
        },
      },
    },
    stop.signal,
  );
  await clock.advance(80_000);
  expect(beganAtMs.slice(5)).toEqual([7750, 68_000]);
  stop.abort();
  await clock.advance(0);
  await ended;
});
