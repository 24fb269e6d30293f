import { expect, test } from 'vitest';
import { Flight } from '../../src/watchdog/flight.ts';
import type { ProbeResult } from '../../src/watchdog/probe/result.ts';
import { never } from '../support/virtual-clock.ts';

/** Probes that end when the test says so. */
function flying() {
  const probes: { readonly end: (result: ProbeResult) => void; readonly signal: AbortSignal }[] =
    [];
  let rings = 0;
  const flight = new Flight(
    (signal) => new Promise((resolve) => probes.push({ end: resolve, signal })),
    () => (rings += 1),
  );
  return { flight, probes, rings: () => rings };
}

const passed = (startedAtMs: number): ProbeResult => ({ passed: true, startedAtMs, durationMs: 1 });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('what has ended is told once, in the order in which it ended, and rings each time', async () => {
  const { flight, probes, rings } = flying();
  flight.start(1, never);
  flight.start(2, never);
  expect(flight.sinceMs).toEqual([1, 2]);
  probes[1]?.end(passed(2));
  await settled();
  expect(flight.sinceMs).toEqual([1]);
  probes[0]?.end(passed(1));
  await settled();
  expect(flight.takeEnded()).toEqual([passed(2), passed(1)]);
  expect(flight.takeEnded()).toEqual([]);
  expect(rings()).toBe(2);
});

test('older probes are abandoned: they are aborted, and say nothing any more', async () => {
  const { flight, probes, rings } = flying();
  for (const atMs of [1, 2, 3]) flight.start(atMs, never);
  flight.abandonBefore(2);
  expect(probes.map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
  probes[0]?.end(passed(1));
  await settled();
  expect([flight.takeEnded(), rings(), flight.sinceMs]).toEqual([[], 0, [2, 3]]);
});

test('a probe that throws, which none does, is a failed one: the loop goes on', async () => {
  const flight = new Flight(
    () => Promise.reject(new Error('a fault of ours')),
    () => {},
  );
  flight.start(7, never);
  await settled();
  expect(flight.takeEnded()).toMatchObject([{ passed: false, reason: 'a fault of ours' }]);
});
