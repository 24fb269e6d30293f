/**
 * The ways to restart one apache behind its watchdog: each step only after the acknowledgement of
 * the one before, or after a sleep instead. In both the apache is ended at once, and not gracefully.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { httpGet } from '../../scripts/parts/http-get.ts';
import type { Flags } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import type { Backend } from './site.ts';

export interface Way {
  readonly what: string;
  readonly watchdogFlags: Flags;
  /** After the watchdog has ended, before its apache is. */
  left(): Promise<unknown>;
  /** After the watchdog has been started, before the next one is stopped. */
  back(backend: Backend): Promise<unknown>;
}

const drainWithinMs = 30_000;
/** More than the watchdog may take, and some for itself. */
const endedWithinMs = drainWithinMs + 10_000;
const askedWithinMs = 1000;
/** For the watchdog's first probe, the key and both reloads: generous, since it is not what is compared. */
const backAfterMs = 1500;

export const acknowledged: Way = {
  what: 'acknowledged',
  watchdogFlags: { 'drain-until': 'finished', 'drain-timeout': `${drainWithinMs / 1000}s` },
  left: async () => {},
  back: ({ watchdog }) =>
    waitUntil({ expected: `${watchdog.name} in rotation`, withinMs: 30_000 }, async () => {
      const { status, body } = await httpGet(`${watchdog.adminUrl}/-/ready`, askedWithinMs);
      return status === 200 || `${status} ${body}`;
    }),
};

export const afterSleep = (ms: number): Way => ({
  what: `a sleep of ${ms / 1000} s`,
  watchdogFlags: { 'drain-timeout': '0s' },
  left: () => sleep(ms),
  back: () => sleep(backAfterMs),
});

export interface RestartTimes {
  /** From SIGTERM to the watchdog until its apache may be ended. */
  readonly drainMs: number;
  readonly apacheMs: number;
  /** From the start of the watchdog until the next backend may be restarted. */
  readonly backMs: number;
  readonly wholeMs: number;
}

export async function restart(
  way: Way,
  backend: Backend,
  now: (doing: string) => void,
): Promise<RestartTimes> {
  const { apache, watchdog } = backend;
  const beganAt = performance.now();
  now('drains');
  const { code, signal } = await watchdog.stop(endedWithinMs);
  if (code !== 0) throw new Error(`${watchdog.name} ended with ${signal ?? code}`);
  await way.left();
  const drainedAt = performance.now();
  const drainMs = drainedAt - beganAt;
  if (drainMs > drainWithinMs) throw new Error(`${watchdog.name}: not acknowledged in time`);
  now('is restarted');
  const ended = apache.ended();
  if (apache.pid !== undefined) process.kill(apache.pid, 'SIGTERM');
  await ended;
  await apache.start();
  const startedAt = performance.now();
  now('comes back');
  await watchdog.start();
  await way.back(backend);
  const backAt = performance.now();
  now('is back');
  return {
    drainMs,
    apacheMs: startedAt - drainedAt,
    backMs: backAt - startedAt,
    wholeMs: backAt - beganAt,
  };
}
