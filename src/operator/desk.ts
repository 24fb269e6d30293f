/**
 * Where the commands stand that an operator runs by hand: etcd, a clock, and words for people. What
 * comes of it goes to standard output, all else to standard error, each line by itself.
 */
import { constants, hostname, userInfo } from 'node:os';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type Log, Notices } from '../lib/log.ts';
import { shutdownSignal } from '../lib/shutdown.ts';
import { warnOfUnknownVariables } from '../options/environment.ts';
import { etcdAccess } from '../options/etcd-options.ts';
import { formatDuration } from '../options/values.ts';
import { EtcdEndpoints } from '../registry/etcd/endpoints.ts';
import { tellEtcdEvent } from '../registry/etcd/events.ts';
import { etcdLeases } from '../registry/etcd/leases.ts';
import type { LeaseStore } from '../registry/store.ts';
import type { Look, Places } from './look.ts';
import { type Step, waitFor, type Waited } from './waiting.ts';

export interface Desk {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly random: () => number;
  /** To standard error: what goes on. */
  readonly say: (line: string) => void;
  /** To standard output: what came of it. */
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

const toError = (line: string) => void process.stderr.write(`rollcall: ${line}\n`);
const toOutput = (line: string) => void process.stdout.write(`${line}\n`);

type Surroundings = Readonly<Record<string, string | undefined>>;

/** @returns the exit status. */
export async function atDesk(
  settings: Parameters<typeof etcdAccess>[0],
  environment: Surroundings,
  work: (desk: Desk) => Promise<number>,
): Promise<number> {
  const access = await etcdAccess(settings);
  const clock = systemClock;
  const random = Math.random;
  const notices = new Notices(plainLog);
  const signal = shutdownSignal();
  warnOfUnknownVariables(environment, plainLog);
  await using endpoints = new EtcdEndpoints(settings.etcd, clock, random, {
    access,
    onEvent: (event) => tellEtcdEvent(event, notices),
  });
  using store = etcdLeases(endpoints, clock);
  try {
    return await work({ ...{ store, clock, random, signal }, say: toError, tell: toOutput });
  } catch (error) {
    if (!signal.aborted) throw error;
    toError(`stopped by ${String(signal.reason)}: it is not known whether anything was changed`);
    return statusOfSignal(signal);
  }
}

/** What an operator has to know, as a line and not as JSON. */
function plainLine(first: unknown, text?: string): void {
  if (text === undefined) return toError(String(first));
  const fields = Object.entries(first ?? {}).map(([name, value]) => `${name} ${String(value)}`);
  toError([text, ...fields].join(': '));
}

const plainLog: Log = { debug: () => {}, info: () => {}, warn: plainLine, error: plainLine };

/** As a shell gives it to a process that the signal killed. */
function statusOfSignal({ reason }: AbortSignal): number {
  return 128 + constants.signals[reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM'];
}

/** USER@HOST; of whoever became root, the one who did. */
export function whoAsks({ SUDO_USER: before }: Surroundings): string {
  return `${before || userName()}@${hostname()}`;
}

/** A user without a name is usual in a container. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

export interface WaitAsked {
  readonly places: Places;
  readonly judge: (look: Look) => Step;
  readonly timeoutMs: number;
  /** What is so when the wait ends without what it waits for. */
  readonly otherwise: string;
}

/** @returns the exit status. */
export async function waitAtDesk(
  { store, clock, random, say, tell, signal }: Desk,
  { places, judge, timeoutMs, otherwise }: WaitAsked,
): Promise<number> {
  const deps = { store, places, judge, say, clock, random };
  const waited: Waited = await waitFor(deps, timeoutMs, signal);
  switch (waited.kind) {
    case 'done':
      tell(waited.words);
      return 0;
    case 'failed':
      say(waited.words);
      return 1;
    case 'late':
      say(`${places.key}: not within ${formatDuration(timeoutMs)}: ${otherwise}`);
      for (const line of waited.lines) say(`- ${line}`);
      return 3;
    case 'stopped':
      say(`stopped by ${String(signal.reason)}: ${otherwise}`);
      return statusOfSignal(signal);
    default:
      return waited satisfies never;
  }
}
