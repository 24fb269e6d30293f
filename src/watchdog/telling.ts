/** What the watchdog's loop says to the operator, in the log. */
import { messageOf } from '../lib/errors.ts';
import type { Log, Notices } from '../lib/log.ts';
import { type Health, isUp } from './health.ts';
import type { ProbeResult } from './probe/result.ts';
import type { Registration } from './registration/registration.ts';

export function logTransition(log: Log, from: Health, to: Health, result: ProbeResult): void {
  const fields = {
    from: from.state,
    to: to.state,
    probeMs: Math.round(result.durationMs),
    ...(result.passed ? {} : { phase: result.phase, reason: result.reason }),
  };
  const wasUp = isUp(from);
  if (isUp(to) && !wasUp) log.info(fields, 'backend is up');
  else if (to.state === 'down')
    log[from.state === 'rising' ? 'info' : 'warn'](fields, 'backend is down');
  else log.info(fields, `backend is ${to.state}`);
}

/** A backend that usually takes more than half of its timeout is a stall away from failing. */
export function warnOfSlowness(
  notices: Notices,
  passesMs: readonly number[],
  timeoutMs: number,
): void {
  const slowestMs = Math.round(Math.max(0, ...passesMs));
  if (slowestMs <= timeoutMs / 2) {
    notices.clear('slow', 'the backend answers quickly again', { slowestMs });
    return;
  }
  const text = 'the backend takes more than half of --timeout to answer';
  notices.tell('slow', 'warn', text, { slowestMs, timeoutMs });
}

/** The last act: the key goes before the process does, if etcd lets it. */
export async function letGo(
  registration: Pick<Registration, 'release' | 'remainingMs'>,
  log: Log,
): Promise<void> {
  const held = registration.remainingMs > 0;
  try {
    await registration.release(new AbortController().signal);
    if (held) log.info('key removed: shutting down');
  } catch (error) {
    const reason = messageOf(error);
    if (!held) return log.info({ reason }, 'etcd did not answer: the record goes with its lease');
    const expiresInMs = Math.round(registration.remainingMs);
    log.warn({ reason, expiresInMs }, 'key not removed: it goes with its lease');
  }
}
