import { expect, test } from 'vitest';
import { Notices } from '../../../src/lib/log.ts';
import { Agreement, type Wanted } from '../../../src/watchdog/registration/agreement.ts';
import type { Health } from '../../../src/watchdog/health.ts';
import type { Outcome } from '../../../src/watchdog/registration/outcome.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { never, virtualClock } from '../../support/virtual-clock.ts';

/** A registration that answers as the test says, and tells what it was asked. */
function agreeing() {
  const clock = virtualClock();
  const calls: string[] = [];
  const failures: unknown[] = [];
  const etcd = {
    remainingMs: 5000,
    answer: async (verb: string): Promise<Outcome> =>
      verb === 'hold' ? { kind: 'held' } : { kind: 'absent' },
  };
  const agreement = new Agreement({
    registration: {
      get remainingMs() {
        return etcd.remainingMs;
      },
      hold: async (evidence, record, signal) => {
        calls.push(`hold ${record}${evidence ? ' renewing' : ''}`);
        return await until(etcd.answer('hold'), signal);
      },
      drop: async (_, record, signal) => {
        calls.push(`drop ${record}`);
        return await until(etcd.answer('drop'), signal);
      },
    },
    ...{ clock, random: () => 0, notices: new Notices(recordedLog().log) },
    ...{ ttlMs: 5000, evidenceMs: 2000, onOutcome: () => {}, ring: () => {} },
    onFailure: (error) => failures.push(error),
  });
  /** One turn, and whatever it begins. */
  const turn = async (health: Health, passed: boolean, startedAtMs = clock.now()) => {
    const timing = { startedAtMs, durationMs: 0 };
    const last: Wanted['last'] = passed
      ? { passed, ...timing }
      : { passed, kind: 'refused', phase: 'connect', reason: 'connection refused', ...timing };
    const nextMs = agreement.turn({ health, drained: false, last, record: health.state }, never);
    await clock.advance(0);
    return nextMs;
  };
  return { clock, calls, failures, etcd, agreement, turn };
}

const until = <T>(answer: Promise<T>, signal: AbortSignal) =>
  new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('cut short')));
    void answer.then(resolve, reject);
  });

const up: Health = { state: 'up' };
const failing: Health = { state: 'failing', failures: 1 };
const down: Health = { state: 'down' };

test('one pass, one renewal; the next one no sooner than half a second after it', async () => {
  const { clock, calls, turn } = agreeing();
  await turn(up, true);
  expect(await turn(up, true, 0)).toBe(Number.POSITIVE_INFINITY);
  await clock.advance(100);
  expect(await turn(up, true)).toBe(500);
  await clock.advance(400);
  await turn(up, true, 100);
  expect(calls).toEqual(['hold up renewing', 'hold up renewing']);
});

test('a failing backend is told of once, and renewed by nothing', async () => {
  const { clock, calls, turn } = agreeing();
  await turn(up, true);
  for (let probe = 0; probe < 5; probe += 1) {
    await clock.advance(1000);
    await turn(failing, false);
  }
  expect(calls).toEqual(['hold up renewing', 'hold failing']);
});

test('a pass that has grown old while attempts failed is no evidence any more', async () => {
  const { clock, calls, etcd, turn } = agreeing();
  etcd.answer = () => Promise.reject(new Error('etcd is away'));
  await turn(up, true, 0);
  await clock.advance(1000);
  await turn(up, true, 0);
  await clock.advance(1000);
  await turn(up, true, 0);
  expect(calls).toEqual(['hold up renewing', 'hold up renewing', 'hold up']);
});

test('a failed attempt is made again without any event, later and later up to a second', async () => {
  const { clock, calls, failures, etcd, turn } = agreeing();
  etcd.answer = () => Promise.reject(new Error('etcd is away'));
  const pauses: number[] = [];
  await turn(down, false, 0);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const dueMs = await turn(down, false, 0);
    pauses.push(dueMs - clock.now());
    await clock.advance(dueMs - clock.now());
    await turn(down, false, 0);
  }
  expect(pauses).toEqual([100, 200, 400, 500, 500]);
  expect(calls).toHaveLength(6);
  expect(failures).toHaveLength(6);
});

test('a verdict does not wait for the back-off of another attempt, nor for its end', async () => {
  const { calls, failures, etcd, agreement, turn } = agreeing();
  etcd.answer = () => Promise.reject(new Error('etcd is away'));
  await turn(up, true);
  await turn(down, false);
  expect(calls).toEqual(['hold up renewing', 'drop down']);

  const { calls: others, failures: none, etcd: silent, turn: next } = agreeing();
  silent.answer = () => new Promise(() => {});
  await next(up, true);
  await next(down, false);
  silent.answer = async () => ({ kind: 'removed' });
  await next(down, false);
  expect(others).toEqual(['hold up renewing', 'drop down']);
  // Cut short by ourselves, which is no failure of etcd.
  expect([failures.length, none.length]).toEqual([2, 0]);
  expect(agreement.words).toBe('not known: etcd is away');
});

test('after a removal the record is looked at once more', async () => {
  const { calls, etcd, turn } = agreeing();
  etcd.answer = async () => ({ kind: 'removed' });
  await turn(down, false, 0);
  etcd.answer = async () => ({ kind: 'absent' });
  await turn(down, false, 0);
  await turn(down, false, 0);
  expect(calls).toEqual(['drop down', 'drop down']);
});

test('a lease that ran out is no registration, whatever the last answer was', async () => {
  const { etcd, agreement, turn } = agreeing();
  await turn(up, true);
  expect([agreement.isRegistered, agreement.words]).toEqual([true, 'held']);
  etcd.remainingMs = 0;
  expect([agreement.isRegistered, agreement.words]).toEqual([false, 'not held: the lease ran out']);
});

test('a removal that failed may have taken the key: it is not said to be registered', async () => {
  const { etcd, agreement, turn } = agreeing();
  await turn(up, true);
  etcd.answer = () => Promise.reject(new Error('permission denied'));
  await turn(down, false);
  expect(agreement.isRegistered).toBe(false);
});

test('an attempt that outlives its deadline by a second is stuck', async () => {
  const { clock, etcd, agreement, turn } = agreeing();
  etcd.answer = () => new Promise(() => {});
  await turn(up, true);
  await clock.advance(2500);
  expect(agreement.isStuck).toBe(false);
  await clock.advance(1);
  expect(agreement.isStuck).toBe(true);
});

test('a key without need of removal is not asked about on a probe that has grown old', async () => {
  const { clock, calls, etcd, agreement, turn } = agreeing();
  etcd.remainingMs = 0;
  await turn(down, false, 0);
  await clock.advance(2000);
  agreement.touch();
  expect(await turn(down, false, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(calls).toEqual(['drop down']);
});

test('while a holder with our own value may be a dead predecessor, it is looked at more often', async () => {
  const { clock, calls, etcd, turn } = agreeing();
  const by = { value: '127.0.0.1:8001', leaseId: 'theirs', record: undefined };
  etcd.answer = async () => ({ kind: 'taken', by, sameValue: true, remainingMs: 3000 });
  await turn(up, true, 0);
  expect(await turn(up, true, 0)).toBe(400);
  await clock.advance(400);
  await turn(up, true, 0);
  expect(calls).toEqual(['hold up renewing', 'hold up renewing']);
});
