/**
 * What the supervisor (systemd) hears: that the service is ready, once its key is held for
 * the first time, or once every live balancer serves it, or when an operator has it drained and
 * there is nothing to wait for; how it stands, in words; that it is alive, by each turn that did its work
 * and by none that is stuck; and that it stops.
 */
import type { Notifier } from '../lib/systemd-notify.ts';
import { stageInWords } from './drain/words.ts';
import type { WatchdogStatus } from './observer.ts';

export interface Supervision {
  readonly onTurn: (status: WatchdogStatus) => void;
  /** Settles when the supervisor has heard of the stop; never before the signal aborts. */
  readonly stopped: Promise<void>;
}

/** When a start is complete. */
export const readyWhens = ['held', 'in-rotation'] as const;
export type ReadyWhen = (typeof readyWhens)[number];

export function tellSupervisor(
  notifier: Notifier,
  readyWhen: ReadyWhen,
  signal: AbortSignal,
): Supervision {
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(notifier.stopping()), { once: true });
  });
  let isReady = false;
  return {
    stopped,
    onTurn: (status) => {
      const text = inWords(status);
      if (isComplete(status, readyWhen) && !isReady) {
        isReady = true;
        notifier.ready(text);
      } else notifier.status(text);
      if (!status.isStuck) notifier.alive();
    },
  };
}

/** Changes with what it tells, not with time: each change costs a process. */
function inWords({ course, words, drain, servedBy, waitsFor }: WatchdogStatus): string {
  const { health, reason } = course;
  const why = health.state === 'up' || reason === undefined ? '' : ` (${reason})`;
  const rest = drain
    ? `; drain: ${stageInWords(drain)}`
    : servedBy.length > 0
      ? ', in rotation'
      : '';
  const waits =
    waitsFor.length === 0 ? '' : `; waiting for ${waitsFor.map(({ who }) => who).join(', ')}`;
  return `backend ${health.state}${why}; key ${words}${rest}${waits}`;
}

function isComplete({ isRegistered, isInRotation, drain }: WatchdogStatus, when: ReadyWhen) {
  if (drain) return true;
  return when === 'held' ? isRegistered : isInRotation;
}
