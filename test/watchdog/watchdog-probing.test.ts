/** When the loop probes, seen from outside: hangs, closed connections, the start grace. */
import { expect, test } from 'vitest';
import { bounds, etcdCallBudgetMs, mostInFlight } from '../../src/watchdog/timing.ts';
import { hung, key, refused, watching, well } from '../support/watching.ts';

test('a hang costs one timeout, whatever fall is up to the bound of probes at once', async () => {
  for (const fall of [2, 3, 4]) {
    await using watchdog = watching({ fall });
    const { clock, store, apache, seen, state } = watchdog;
    await clock.advance(1500);
    apache.answer = () => hung;
    const hangs = seen.startsMs.length;
    await clock.advance(1000 + 1000 + 100 + (fall - 2) * 50 + 5);
    expect(state()).toBe('down');
    expect(store.keys.has(key)).toBe(false);
    expect(seen.startsMs.length - hangs).toBeLessThanOrEqual(fall + 1);
  }
});

test('more failures than probes at once take another timeout, and stay within the bound', async () => {
  const fall = 2 * mostInFlight;
  await using watchdog = watching({ fall });
  const { clock, apache, seen, state } = watchdog;
  await clock.advance(1500);
  apache.answer = () => hung;
  const cadence = { intervalMs: 1000, fastIntervalMs: 250, timeoutMs: 1000, fall };
  await clock.advance(bounds(cadence, 5000).hungMs - etcdCallBudgetMs);
  expect(state()).toBe('down');
  expect(seen.most).toBe(mostInFlight);
});

test('an answer to a companion counts: the backend stays up, and the one that hangs is forgotten', async () => {
  await using watchdog = watching();
  const { clock, apache, seen, state } = watchdog;
  await clock.advance(1500);
  const first = seen.startsMs.length;
  apache.answer = (probe) => (probe === first ? hung : well);
  await clock.advance(10_000);
  expect(state()).toBe('up');
  expect(seen.results.every(({ passed }) => passed)).toBe(true);
  expect(seen.companions).toBe(1);
});

test('a late answer to the first still counts, also after a companion has failed', async () => {
  await using watchdog = watching();
  const { clock, apache, seen, state } = watchdog;
  await clock.advance(1500);
  const first = seen.startsMs.length;
  apache.answer = (probe) =>
    probe === first ? { afterMs: 900 } : probe === first + 1 ? refused : well;
  await clock.advance(3000);
  expect(state()).toBe('up');
});

test('a backend that is merely slow is not burdened: it soon counts as slow', async () => {
  await using watchdog = watching();
  const { clock, apache, seen } = watchdog;
  await clock.advance(5000);
  apache.answer = (probe) => ({ afterMs: 600 + (probe % 7) * 40 });
  await clock.advance(300_000);
  const probes = seen.startsMs.length;
  expect(probes).toBeGreaterThan(150);
  expect(seen.companions).toBeLessThanOrEqual(5);
});

test('a connection that closes and then refuses: down within milliseconds', async () => {
  await using watchdog = watching();
  const { clock, store, apache, bells } = watchdog;
  await clock.advance(1500);
  apache.answer = () => refused;
  bells.onIdleClose();
  await clock.advance(30);
  expect(store.keys.has(key)).toBe(false);
});

test('a connection that closes and then answers costs one probe, and then ever fewer', async () => {
  await using watchdog = watching();
  const { clock, apache, bells, seen, state } = watchdog;
  apache.answer = () => {
    void clock.sleep(100).then(() => bells.onIdleClose());
    return well;
  };
  await clock.advance(600_000);
  expect(state()).toBe('up');
  const probed = seen.closes.filter((then) => then === 'probed').length;
  expect(probed).toBeLessThanOrEqual(6 + 600_000 / 60_000);
  expect(seen.closes.length).toBeGreaterThan(500);
});

test('within the start grace a backend that is not there yet is starting, not down', async () => {
  await using watchdog = watching({ startGraceMs: 5000 });
  const { clock, apache, state } = watchdog;
  apache.answer = () => refused;
  await clock.advance(4900);
  expect(state()).toBe('starting');
  await clock.advance(1000);
  expect(state()).toBe('down');
});

/** How long a hang that begins just after a pass stays undiscovered; no pause has jitter here. */
async function hangLasts(
  cadence: { fall: number; timeoutMs: number; fastIntervalMs: number },
  answerMs: number,
) {
  await using watchdog = watching(cadence);
  const { clock, apache, seen, state } = watchdog;
  apache.answer = () => ({ afterMs: answerMs });
  await clock.advance(30_000);
  const before = seen.results.length;
  while (seen.results.length === before) await clock.advance(1);
  const beganAtMs = clock.now();
  apache.answer = () => hung;
  while (state() !== 'down' && clock.now() - beganAtMs < 60_000) await clock.advance(5);
  return clock.now() - beganAtMs;
}

test.for([2, 3, 4, 8, 10])(
  'fall %i: the bound of a hang holds, however slow it was',
  async (fall) => {
    for (const [timeoutMs, fastIntervalMs, answerMs] of [
      ...([5, 300, 700, 920, 1000] as const).map((ms) => [1000, 250, ms] as const),
      ...([30, 45, 100] as const).map((ms) => [ms, 250, 5] as const),
      [30, 1000, 5] as const,
    ]) {
      const cadence = { intervalMs: 1000, fastIntervalMs, timeoutMs, fall };
      const promisedMs = bounds(cadence, 60_000).hungMs - etcdCallBudgetMs - 100;
      const tookMs = await hangLasts(cadence, answerMs);
      // The clock goes on in steps of 5 ms.
      expect({ ...cadence, answerMs, isLate: tookMs > promisedMs + 6 }).toMatchObject({
        isLate: false,
      });
    }
  },
);

test('the bound of a death holds while one probe hangs and all others are refused', async () => {
  const rules = { timeoutMs: 3000, fall: 2 };
  await using watchdog = watching(rules);
  const { clock, apache, seen, state } = watchdog;
  await clock.advance(5000);
  const first = seen.startsMs.length;
  apache.answer = (probe) => (probe === first ? hung : refused);
  while (seen.startsMs.length === first) await clock.advance(1);
  const cadence = { intervalMs: 1000, fastIntervalMs: 250, ...rules };
  await clock.advance(bounds(cadence, 60_000).deadMs - etcdCallBudgetMs);
  expect(state()).toBe('down');
});
