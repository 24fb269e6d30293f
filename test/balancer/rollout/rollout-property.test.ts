// Whatever nginx, the disk and what is wanted do, the rollout does nothing unfounded, and once they
// are calm it arrives.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  confirmed,
  decide,
  failed,
  nothingObserved,
  observe,
  type Rollout,
  rolloutTimes,
  toldOf,
} from '../../../src/balancer/rollout/rollout.ts';

const anyGeneration = fc.constantFrom('one', 'two', 'three');
const anyMs = fc.integer({ min: 0, max: 40_000 });
const orNothing = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const anyPids = fc.uniqueArray(fc.integer({ min: 2, max: 9 }), { maxLength: 4 });
const anyWorkers = anyPids.map((serving) => ({ master: '1@1', serving, leaving: [] }));

const anyRollout: fc.Arbitrary<Rollout> = fc.record({
  atRest: orNothing(anyGeneration),
  answer: fc.oneof(
    fc.constant({ kind: 'silent', reason: 'no answer' } as const),
    anyGeneration.map((generation) => ({ kind: 'serves', generation }) as const),
  ),
  lastWord: fc.constant({ kind: 'silent', reason: 'no answer' } as const),
  answeredSinceMs: anyMs,
  workers: orNothing(anyWorkers),
  told: orNothing(
    fc.record({ generation: anyGeneration, atMs: anyMs, before: orNothing(anyPids) }),
  ),
  settled: fc.constant(false),
  refusals: fc.constant(new Map()),
  failure: orNothing(
    fc.record({
      generation: anyGeneration,
      step: fc.constantFrom('check', 'swap', 'reload', 'confirm'),
      reason: fc.constant('it failed'),
      attempts: fc.integer({ min: 1, max: 100 }),
      retryAtMs: anyMs,
    }),
  ),
});

test('no decision goes further than what is known', () => {
  fc.assert(
    fc.property(anyRollout, anyGeneration, anyMs, (rollout, wanted, nowMs) => {
      const decision = decide(rollout, wanted, nowMs);
      const { atRest, answer, answeredSinceMs, told, workers } = rollout;
      const served = answer.kind === 'serves' && answer.generation === wanted;
      if (decision.kind === 'deliver') expect(atRest === wanted && served).toBe(false);
      else if (decision.kind === 'wait') {
        expect(decision.forMs).toBeGreaterThan(0);
        expect(decision.forMs).toBeLessThanOrEqual(rolloutTimes.tickMs);
      } else {
        expect(atRest).toBe(wanted);
        expect(served).toBe(decision.kind === 'confirmed');
      }
      if (decision.kind === 'confirmed') {
        const older = told?.before?.some((pid) => workers?.serving.includes(pid));
        const isSeenAlone = workers !== undefined && older === false;
        const answeredForMs = nowMs - answeredSinceMs;
        expect(isSeenAlone || answeredForMs >= rolloutTimes.overlapMs).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

/** One wait after a reload that was given up before, at its longest, and the reload itself. */
const tooLongMs = 320_000;

/** From where the rollout stands, a well nginx that takes a reload after `slowMs`. */
function msUntilConfirmed(start: Rollout, wanted: string, slowMs: number): number {
  let rollout = start;
  let { atRest, answer } = start;
  const beganAtMs = 40_000;
  let nowMs = beganAtMs;
  let loadsAtMs = Number.POSITIVE_INFINITY;
  while (nowMs - beganAtMs < tooLongMs) {
    if (nowMs >= loadsAtMs && atRest !== undefined) answer = { kind: 'serves', generation: atRest };
    rollout = observe(rollout, { atRest, answer, workers: undefined }, nowMs);
    const decision = decide(rollout, wanted, nowMs);
    if (decision.kind === 'confirmed') return nowMs - beganAtMs;
    if (decision.kind === 'deliver') {
      atRest = wanted;
      loadsAtMs = nowMs + slowMs;
      rollout = toldOf(rollout, wanted, undefined, nowMs);
    }
    if (decision.kind === 'give up') {
      const failure = { generation: wanted, step: 'confirm', reason: decision.reason } as const;
      rollout = failed(rollout, failure, nowMs, () => 0.5);
    }
    nowMs += decision.kind === 'wait' ? decision.forMs : rolloutTimes.pollMs;
  }
  return tooLongMs;
}

test('from wherever it stands, a well nginx is brought to what is wanted', () => {
  fc.assert(
    fc.property(
      anyRollout,
      anyGeneration,
      fc.integer({ min: 0, max: 4000 }),
      (start, wanted, ms) => {
        expect(msUntilConfirmed(start, wanted, ms)).toBeLessThan(tooLongMs);
      },
    ),
    { numRuns: 300 },
  );
});

test('and from there it stays: a confirmed rollout decides for nothing else', () => {
  const answer = { kind: 'serves', generation: 'one' } as const;
  const served = observe(nothingObserved, { atRest: 'one', answer, workers: undefined }, 0);
  for (const nowMs of [300, 1000, 1_000_000]) {
    expect(decide(confirmed(served), 'one', nowMs)).toEqual({ kind: 'confirmed' });
  }
});
