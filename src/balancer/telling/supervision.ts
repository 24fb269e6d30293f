/**
 * What the supervisor (systemd) hears of the balancer: that it is ready, once its loop turns; how
 * it stands, in words; that it is alive, by each turn; and that it stops. It is ready without nginx, which
 * may have to be started after it: whether nginx serves what it should is said in words, and at /-/ready.
 */
import type { Notifier } from '../../lib/systemd-notify.ts';
import type { Turn } from '../balancer.ts';
import { unreadyReason } from './status.ts';

export interface Supervision {
  readonly onTurn: (turn: Turn) => void;
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
    onTurn: (turn) => {
      const text = inWords(turn);
      if (isReady) notifier.status(text);
      else notifier.ready(text);
      isReady = true;
      notifier.alive();
    },
  };
}

/** Changes with what it tells, not with time: each change costs a process. */
function inWords(turn: Turn): string {
  const unready = unreadyReason(turn);
  if (unready !== undefined) return `not confirmed: ${unready}`;
  const backends = turn.censuses.reduce((sum, { served }) => sum + served.length, 0);
  const away = turn.censuses.find(({ view }) => !view.connected);
  const since = away ? '; etcd is away, and the pool is kept' : '';
  return `nginx serves generation ${turn.target?.rendered.generation}, ${backends} backends${since}`;
}
