import { expect, test } from 'vitest';
import { withDeadline } from '../../src/lib/deadline.ts';
import { DeadlineError } from '../../src/lib/errors.ts';
import { never, virtualClock } from '../support/virtual-clock.ts';

function deadlineOf(timeoutMs: number) {
  const clock = virtualClock();
  return { clock, deadline: { what: 'etcd range', timeoutMs, clock } };
}
const thrownBy = (work: Promise<unknown>) => work.catch((error: unknown) => error);
const forever = () => new Promise<never>(() => {});

test('it gives what the work gives, and throws what it throws', async () => {
  const { deadline } = deadlineOf(100);
  expect(await withDeadline(deadline, async () => 'done', never)).toBe('done');
  const failing = withDeadline(deadline, () => Promise.reject(new Error('refused')), never);
  await expect(failing).rejects.toThrow('refused');
});

test('work that does not end is left behind at the deadline, which says what it was', async () => {
  const { clock, deadline } = deadlineOf(100);
  const late = thrownBy(withDeadline(deadline, forever));
  await clock.advance(100);
  expect(await late).toMatchObject({
    ...{ code: 'DEADLINE', message: 'etcd range: no answer within 100 ms' },
  });
});

test('the work is told by its signal, at the deadline and when it was done', async () => {
  const { clock, deadline } = deadlineOf(100);
  const told: AbortSignal[] = [];
  const late = withDeadline(deadline, (signal) => {
    told.push(signal);
    return forever();
  });
  late.catch(() => {});
  await clock.advance(99);
  expect(told[0]?.aborted).toBe(false);
  await clock.advance(1);
  expect(told[0]?.aborted).toBe(true);
});

test('the caller’s abort ends the wait with the caller’s reason', async () => {
  const { deadline } = deadlineOf(100);
  const caller = new AbortController();
  const ended = withDeadline(deadline, forever, caller.signal);
  caller.abort(new Error('shutting down'));
  await expect(ended).rejects.toThrow('shutting down');
});

test('work is not begun for a caller who has gone', async () => {
  const { deadline } = deadlineOf(100);
  let begun = false;
  const gone = AbortSignal.abort(new Error('shutting down'));
  const ended = withDeadline(deadline, async () => void (begun = true), gone);
  await expect(ended).rejects.toThrow('shutting down');
  expect(begun).toBe(false);
});

test('work that fails after the deadline disturbs nobody', async () => {
  const { clock, deadline } = deadlineOf(100);
  const { promise, reject } = Promise.withResolvers<never>();
  const late = thrownBy(withDeadline(deadline, () => promise));
  await clock.advance(100);
  expect(await late).toBeInstanceOf(DeadlineError);
  // An unhandled rejection would fail the run.
  reject(new Error('too late'));
  await clock.advance(1);
});
