import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Finding,
  type Health,
  type HealthState,
  healthStates,
  isInDoubt,
  isUp,
  judge,
  unjudged,
} from '../../src/watchdog/health.ts';

/** Every state with every result: complete, or it does not compile. */
type Table = Record<HealthState, Record<'from' | Finding, Health>>;

const findings: readonly Finding[] = ['passed', 'failed', 'excused'];

/** With rise 3 and fall 3, where one result decides nothing. */
const undecided: Table = {
  starting: {
    from: { state: 'starting', passes: 0, failures: 0 },
    passed: { state: 'starting', passes: 1, failures: 0 },
    failed: { state: 'starting', passes: 0, failures: 1 },
    excused: unjudged,
  },
  up: {
    from: { state: 'up' },
    passed: { state: 'up' },
    failed: { state: 'failing', failures: 1 },
    excused: { state: 'failing', failures: 1 },
  },
  failing: {
    from: { state: 'failing', failures: 1 },
    passed: { state: 'up' },
    failed: { state: 'failing', failures: 2 },
    excused: { state: 'failing', failures: 2 },
  },
  down: {
    from: { state: 'down' },
    passed: { state: 'rising', passes: 1 },
    failed: { state: 'down' },
    excused: { state: 'down' },
  },
  rising: {
    from: { state: 'rising', passes: 1 },
    passed: { state: 'rising', passes: 2 },
    failed: { state: 'down' },
    excused: { state: 'down' },
  },
};

/** With rise 1 and fall 1, where every result decides. */
const atOnce: Table = {
  starting: {
    from: unjudged,
    passed: { state: 'up' },
    failed: { state: 'down' },
    excused: unjudged,
  },
  up: {
    from: { state: 'up' },
    passed: { state: 'up' },
    failed: { state: 'down' },
    excused: { state: 'down' },
  },
  failing: {
    from: { state: 'failing', failures: 1 },
    passed: { state: 'up' },
    failed: { state: 'down' },
    excused: { state: 'down' },
  },
  down: {
    from: { state: 'down' },
    passed: { state: 'up' },
    failed: { state: 'down' },
    excused: { state: 'down' },
  },
  rising: {
    from: { state: 'rising', passes: 1 },
    passed: { state: 'up' },
    failed: { state: 'down' },
    excused: { state: 'down' },
  },
};

test.each(healthStates)('%s: one result of the three that are needed', (state) => {
  const { from, ...expected } = undecided[state];
  for (const finding of findings) {
    expect(judge(from, finding, { rise: 3, fall: 3 })).toEqual(expected[finding]);
  }
});

test.each(healthStates)('%s: the one result that is needed', (state) => {
  const { from, ...expected } = atOnce[state];
  for (const finding of findings) {
    expect(judge(from, finding, { rise: 1, fall: 1 })).toEqual(expected[finding]);
  }
});

test('a result of the other kind starts the count of a starting backend anew', () => {
  const onceMore: Health = { state: 'starting', passes: 2, failures: 0 };
  const interrupted = judge(onceMore, 'failed', { rise: 3, fall: 3 });
  expect(interrupted).toEqual({ state: 'starting', passes: 0, failures: 1 });
});

test('the key is held, and the next probe hurried, in these states', () => {
  const rules: Record<HealthState, { readonly held: boolean; readonly hurried: boolean }> = {
    starting: { held: false, hurried: true },
    up: { held: true, hurried: false },
    failing: { held: true, hurried: true },
    down: { held: false, hurried: false },
    rising: { held: false, hurried: true },
  };
  for (const state of healthStates) {
    const { from } = undecided[state];
    expect({ held: isUp(from), hurried: isInDoubt(from) }).toEqual(rules[state]);
  }
});

const anyJudgement = fc.record({
  rise: fc.integer({ min: 1, max: 5 }),
  fall: fc.integer({ min: 1, max: 5 }),
});
const anyProbes = fc.array(fc.boolean(), { maxLength: 60 });

/** How many of the last results were `passed`, in a row. */
const inARow = (probes: readonly boolean[], passed: boolean) =>
  probes.length - 1 - probes.lastIndexOf(!passed);

test('never up without rise passes in a row, never down before fall failures in a row', () => {
  fc.assert(
    fc.property(anyJudgement, anyProbes, ({ rise, fall }, probes) => {
      let health = unjudged;
      for (const [index, passed] of probes.entries()) {
        const before = health;
        health = judge(before, passed ? 'passed' : 'failed', { rise, fall });
        const seen = probes.slice(0, index + 1);
        if (isUp(health) && !isUp(before)) expect(inARow(seen, true)).toBeGreaterThanOrEqual(rise);
        if (!isUp(health) && isUp(before)) expect(inARow(seen, false)).toBeGreaterThanOrEqual(fall);
        if (health.state === 'down' && before.state === 'starting') {
          expect(inARow(seen, false)).toBeGreaterThanOrEqual(fall);
        }
      }
    }),
  );
});

test('whatever came before, rise passes in a row are up and fall failures in a row are down', () => {
  fc.assert(
    fc.property(anyJudgement, anyProbes, ({ rise, fall }, probes) => {
      const judged = (results: readonly boolean[]) =>
        results.reduce(
          (health, passed) => judge(health, passed ? 'passed' : 'failed', { rise, fall }),
          unjudged,
        );
      expect(judged([...probes, ...Array(rise).fill(true)]).state).toBe('up');
      expect(judged([...probes, ...Array(fall).fill(false)]).state).toBe('down');
    }),
  );
});

test('within the start grace nothing is down that was never up', () => {
  fc.assert(
    fc.property(anyJudgement, anyProbes, ({ rise, fall }, probes) => {
      let health = unjudged;
      for (const passed of probes) {
        if (health.state !== 'starting') break;
        health = judge(health, passed ? 'passed' : 'excused', { rise, fall });
        expect(health.state).not.toBe('down');
      }
    }),
  );
});
