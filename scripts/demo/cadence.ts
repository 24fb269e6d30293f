/**
 * The options that the programs of the demo run with, and what follows from them: how long each
 * step of a removal may take. The story holds the programs to these bounds.
 */
import { bounds, jitterShare } from '../../src/watchdog/timing.ts';
import type { Flags } from '../parts/rollcall.ts';

export const prefix = '/test';

export const ttlMs = 5000;
const intervalMs = 1000;
const timeoutMs = 1000;
const fastIntervalMs = 250;
const fall = 2;

/** Pauses are lengthened at random, by up to this. */
const jitter = 1 + jitterShare;
/** For a stall of a small, busy machine, once a bound. */
const slackMs = 1000;

export const watchdogFlags: Flags = {
  ttl: `${ttlMs / 1000}s`,
  interval: `${intervalMs}ms`,
  timeout: `${timeoutMs}ms`,
  'fast-interval': `${fastIntervalMs}ms`,
  rise: 1,
  fall,
};

/** What the watchdog itself promises. */
const promised = bounds({ intervalMs, fastIntervalMs, timeoutMs, fall }, ttlMs);

/** From a fault that a probe notices at once to the key being gone. */
export const refusedMs = promised.deadMs + slackMs;

/** From a fault that each probe has to wait for to the key being gone. */
export const silentMs = promised.hungMs + slackMs;

/** From the end of a watchdog to its key being gone: with nobody to delete it, only etcd does. */
export const expiredMs = {
  atMost: promised.unwatchedMs + slackMs,
  atLeast: ttlMs - 2 * intervalMs,
};

/** From a key that goes to nginx without it, the older workers' last answers included. */
export const appliedMs = 500 + slackMs;

/** From SIGTERM of a watchdog to its key being gone. */
export const deregisteredMs = slackMs;

/** From a world that is well again to a pool that says so: one probe, one change. */
export const settledMs = 2 * jitter * intervalMs + timeoutMs + appliedMs + ttlMs;

/** From nginx answering, or not, to the balancer knowing. */
export const noticedMs = 2000 + slackMs;
