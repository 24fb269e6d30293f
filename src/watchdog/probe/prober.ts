/**
 * One probe: one request, or one TCP connection, on a fresh connection, as a client would
 * make it. A probe says what it saw and never throws; its deadline covers everything from
 * the name look-up to the last byte that is read, and with it goes all that it opened, but
 * for the connection of the last one that passed: that stays, idle, to tell when it closes.
 */
import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { DeadlineError } from '../../lib/errors.ts';
import { sharedLookup } from '../../lib/shared-lookup.ts';
import { askOnce } from './http.ts';
import { IdleConnection } from './idle-connection.ts';
import { causeOf, printable } from './reason.ts';
import type { ProbeResult } from './result.ts';
import type { HttpTarget, ProbeTarget } from './target.ts';
import { connectOnce } from './tcp.ts';
import type { Attempt, Verdict } from './verdict.ts';

export interface Prober extends Disposable {
  /**
   * One probe on a fresh connection; any number may be under way at a time. Never throws;
   * ends by the target's timeoutMs, or when the signal aborts, then with some failed result.
   */
  probe(signal: AbortSignal): Promise<ProbeResult>;
}

/**
 * A deadline that comes so much too late tells that this process did not get to run. What the
 * backend had answered meanwhile lies in the socket, and is read only after the timers.
 */
const stalledMs = 100;
const catchUpMs = 50;

export interface ProberDeps {
  readonly clock: Clock;
  /** The idle connection of the last passing probe was closed or reset by the other side. */
  readonly onIdleClose: () => void;
  /** How names are looked up; if not given, as the system does. */
  readonly lookup?: LookupFunction;
}

/** @throws whatever OpenSSL says of certificates that `probeTarget` has not seen. */
export function openProber(
  target: ProbeTarget,
  { clock, onIdleClose, lookup = dnsLookup }: ProberDeps,
): Prober {
  const begin = attempts(target, sharedLookup(lookup));
  const idle = new IdleConnection(onIdleClose);
  const underWay = new Set<Attempt>();
  const closed = new AbortController();
  const { timeoutMs } = target;

  return {
    async probe(signal) {
      const startedAtMs = clock.now();
      const timing = () => ({ startedAtMs, durationMs: clock.now() - startedAtMs });
      const place = idle.begin();
      const attempt = begin();
      underWay.add(attempt);
      // It may go on to fail when nobody waits for it any more.
      attempt.verdict.catch(() => {});
      try {
        const verdict = await verdictInTime(attempt, timeoutMs, clock, signal);
        if (verdict.passed) {
          idle.passed(place, attempt.release());
          return { passed: true, ...timing() };
        }
        attempt.close();
        const { kind, reason } = verdict;
        return {
          passed: false,
          kind,
          phase: attempt.phase,
          reason: printable(reason),
          ...timing(),
        };
      } catch (error) {
        const { phase } = attempt;
        attempt.close();
        const stopped = signal.aborted || closed.signal.aborted;
        const cause = stopped
          ? ({ kind: 'other', reason: 'given up: the watchdog stops' } as const)
          : causeOf(error, phase, timeoutMs);
        return { passed: false, phase, ...cause, ...timing() };
      } finally {
        underWay.delete(attempt);
      }
    },
    [Symbol.dispose]: () => {
      closed.abort();
      idle[Symbol.dispose]();
      for (const attempt of underWay) attempt.close();
    },
  };
}

/** @throws DeadlineError, the signal's reason, or whatever the attempt threw. */
async function verdictInTime(
  { verdict }: Attempt,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Verdict> {
  const within = (ms: number) =>
    withDeadline({ what: 'probe', timeoutMs: ms, clock }, () => verdict, signal);
  const dueAtMs = clock.now() + timeoutMs;
  try {
    return await within(timeoutMs);
  } catch (error) {
    const isStalled = clock.now() - dueAtMs >= stalledMs;
    if (!(error instanceof DeadlineError) || !isStalled) throw error;
    return await within(catchUpMs);
  }
}

function attempts(target: ProbeTarget, lookup: LookupFunction): () => Attempt {
  if (target.kind === 'tcp') return () => connectOnce(target, lookup);
  // Once: reading certificates costs more than a probe.
  const mayNeedTls = target.url.startsWith('https:') || target.redirects > 0;
  const secureContext = mayNeedTls ? createSecureContext(secureOptions(target)) : undefined;
  return () => askOnce(target, { lookup, secureContext });
}

function secureOptions({ tls }: HttpTarget) {
  return { ...(tls?.ca !== undefined && { ca: tls.ca }), ...tls?.client };
}
