import { expect, test } from 'vitest';
import {
  beginDrain,
  type Drain,
  drainDueAtMs,
  foldDrain,
  type Seen,
  stopDrained,
} from '../../../src/watchdog/drain/drain.ts';
import { after, all, inWords, nobody, quiet, rules, since, some } from './folded.ts';

test('a deadline names who had not confirmed, and why', () => {
  const { stage } = after('shutdown', { look: some }, { look: some, nowMs: 30_000 });
  expect(stage).toMatchObject({
    end: 'timeout',
    missing: [{ who: 'lb2 (pid 7)', why: expect.stringContaining('19') }],
  });
});

test('a deadline that etcd let pass says so', () => {
  const late = { nowMs: 30_000 };
  const { stage } = after('shutdown', { ...late, standing: { kind: 'unknown' } });
  expect(stage).toMatchObject({ missing: [{ who: 'etcd', why: expect.stringContaining('gone') }] });
  expect(after('shutdown', { ...late, trouble: 'no leader' }).stage).toMatchObject({
    missing: [{ who: 'etcd', why: 'no leader' }],
  });
});

test('one that is confirmed names nobody, whoever was waited for before', () => {
  const hasty = { ...rules, lingerMs: 0 };
  const waits = foldDrain(beginDrain('shutdown', since, 0), { ...quiet, look: some }, hasty);
  const { stage } = foldDrain(waits, { ...quiet, look: all }, hasty);
  expect(stage).toEqual({ kind: 'over', end: 'confirmed', missing: [] });
});

test('a lingering begins anew when somebody took back what had been confirmed', () => {
  const steps = [{ look: all }, { look: some }, { look: all, nowMs: 400 }] as const;
  expect(inWords(after('shutdown', ...steps, { look: all, nowMs: 899 }))).toBe('lingering');
  expect(inWords(after('shutdown', ...steps, { look: all, nowMs: 900 }))).toBe('over: confirmed');
});

test('an operator’s drain has no deadline, and is concluded anew when the key went again', () => {
  expect(inWords(after('operator', { look: some }, { look: some, nowMs: 1e9 }))).toBe('waiting');
  const done = [{ look: all }, { look: all, nowMs: 700 }] as const;
  expect(inWords(after('operator', ...done, { look: some }))).toBe('over: confirmed');
  const again = { standing: { kind: 'gone', revision: 40 }, look: some } as const;
  expect(inWords(after('operator', ...done, again))).toBe('waiting');
  expect(inWords(after('operator', { standing: { kind: 'not ours' } }))).toBe('removing');
});

test('a stop while an operator’s drain goes on is concluded anew, with a deadline', () => {
  const done = after('operator', { look: all }, { look: all, nowMs: 700 });
  const stopped = stopDrained(done, 1000);
  expect(stopped).toMatchObject({ by: 'operator', stopAtMs: 1000, stage: { kind: 'waiting' } });
  const fold = (nowMs: number) => foldDrain(stopped, { ...quiet, nowMs, look: some }, rules);
  expect(inWords(fold(30_999))).toBe('waiting');
  expect(inWords(fold(31_000))).toBe('over: timeout');
});

test('in a store that was wiped, balancers have time to be known again before there are none', () => {
  const wiped = {
    standing: { kind: 'gone', revision: 3 },
    look: { ...nobody, revision: 3 },
    leaseLostAtMs: 200,
  } as const;
  const steps = [{ look: some }, { ...wiped, nowMs: 200 }] as const;
  const at = (nowMs: number) => after('shutdown', ...steps, { ...wiped, nowMs });
  expect(inWords(at(10_199))).toBe('alone');
  expect(drainDueAtMs(at(5000), 200, rules)).toBe(10_200);
  expect(inWords(at(10_200))).toBe('over: grace');
});

test('a grace or a lingering that the deadline cuts short is no failure', () => {
  const short = { ...rules, timeoutMs: 1000, graceMs: 2000, lingerMs: 2000 };
  const late = (look: Seen['look']) =>
    [500, 1000].reduce<Drain>(
      (drain, nowMs) => foldDrain(drain, { ...quiet, nowMs, look }, short),
      beginDrain('shutdown', since, 0),
    );
  expect(inWords(late(all))).toBe('over: confirmed');
  expect(inWords(late(nobody))).toBe('over: grace');
  expect(inWords(late(some))).toBe('over: timeout');
});

test('without a timeout nobody is waited for, and what was never written needs no drain', () => {
  const drain = beginDrain('shutdown', since, 0);
  expect(inWords(foldDrain(drain, quiet, { ...rules, timeoutMs: 0 }))).toBe('over: not waited for');
  const never = { ...quiet, standing: { kind: 'unknown' }, neverWrote: true } as const;
  expect(inWords(foldDrain(drain, never, rules))).toBe('over: nothing to drain');
});

test('with fewer balancers than there should be, nothing is confirmed', () => {
  const strict = { ...rules, balancers: 3 };
  const fold = (look: Seen['look']) =>
    foldDrain(beginDrain('shutdown', since, 0), { ...quiet, look }, strict);
  expect(fold(all).stage).toMatchObject({ kind: 'waiting', missing: [{ who: 'balancers' }] });
  expect(fold(nobody).stage).toMatchObject({ kind: 'waiting' });
});

test('it is looked at again when a grace, a lingering or the deadline ends', () => {
  expect(drainDueAtMs(after('shutdown', { look: some }), -Infinity, rules)).toBe(30_000);
  expect(drainDueAtMs(after('shutdown', { look: nobody }), -Infinity, rules)).toBe(2100);
  expect(drainDueAtMs(after('shutdown', { look: all }), -Infinity, rules)).toBe(600);
  expect(drainDueAtMs(after('operator', { look: some }), -Infinity, rules)).toBe(
    Number.POSITIVE_INFINITY,
  );
});
