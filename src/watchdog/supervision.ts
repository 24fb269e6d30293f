/**
 * What the supervisor (systemd) hears: that the service is ready, once its key is held for
 * the first time; how it stands, in words; that it is alive, by each turn that did its work
 * and by none that is stuck; and that it stops.
 */
import type { Notifier } from '../lib/systemd-notify.ts';
import type { WatchdogStatus } from './observer.ts';

export interface Supervision {
  readonly onTurn: (status: WatchdogStatus) => void;
  /** Settles when the supervisor has heard of the stop; never before the signal aborts. */
  readonly stopped: Promise<void>;
}

export function tellSupervisor(notifier: Notifier, signal: AbortSignal): Supervision {
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(notifier.stopping()), { once: true });
  });
  let isReady = false;
  return {
    stopped,
    onTurn: (status) => {
      const text = inWords(status);
      if (status.isRegistered && !isReady) {
        isReady = true;
        notifier.ready(text);
      } else notifier.status(text);
      if (!status.isStuck) notifier.alive();
    },
  };
}

/** Changes with what it tells, not with time: each change costs a process. */
function inWords({ course, words }: WatchdogStatus): string {
  const { health, reason } = course;
  const why = health.state === 'up' || reason === undefined ? '' : ` (${reason})`;
  return `backend ${health.state}${why}; key ${words}`;
}
