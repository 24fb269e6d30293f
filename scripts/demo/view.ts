/**
 * What is seen of the cluster at one moment, and how it reads: as a table of at most 80 columns, and
 * as one line for each thing that changed since the moment before. Pure.
 */
import type { BalancerStatus, WatchdogStatus } from '../parts/status.ts';

export interface BackendView {
  readonly name: string;
  readonly address: string;
  /** Undefined when the watchdog does not answer. */
  readonly watchdog: WatchdogStatus | undefined;
}

export interface View {
  readonly url: string;
  readonly backends: readonly BackendView[];
  /** Undefined when the balancer does not answer. */
  readonly balancer: BalancerStatus | undefined;
  /** As nginx itself answers; undefined when it does not. */
  readonly served: string | undefined;
}

const WIDTHS = [13, 10, 11, 34, 6];

export function table(view: View, nowMs: number): string {
  const rows = view.backends.map((backend) => [
    backend.name,
    stateOf(backend),
    poolStateOf(view, backend),
    probeOf(backend.watchdog),
    backend.watchdog ? age(nowMs - Date.parse(backend.watchdog.since)) : '',
  ]);
  return [
    line(['backend', 'state', 'nginx pool', 'last probe', 'since']),
    ...rows.map(line),
    '',
    generationOf(view),
    etcdOf(view),
  ].join('\n');
}

/** What a person would want to be told, in the order of the table. */
export function changes(before: View | undefined, after: View): string[] {
  const earlier = before ? facts(before) : [];
  return facts(after).filter((fact) => !earlier.includes(fact));
}

function facts(view: View): string[] {
  const states = view.backends.map(
    (backend) => `${backend.name} is ${stateOf(backend)}, ${poolStateOf(view, backend)}`,
  );
  return [...states, generationOf(view), etcdOf(view)];
}

function stateOf({ watchdog }: BackendView): string {
  return watchdog?.state ?? 'unwatched';
}

function poolStateOf({ balancer }: View, { address }: BackendView): string {
  if (!balancer) return 'unknown';
  return balancer.backends.find((backend) => backend.address === address)?.state ?? 'not in pool';
}

function probeOf(watchdog: WatchdogStatus | undefined): string {
  if (!watchdog?.lastProbe) return 'none';
  const { passed, reason, durationMs } = watchdog.lastProbe;
  return passed ? `passed in ${Math.max(1, Math.round(durationMs))} ms` : (reason ?? 'failed');
}

function generationOf({ served, balancer }: View): string {
  if (!served) return 'nginx does not answer';
  if (!balancer) return `nginx serves generation ${served}; the balancer does not answer`;
  const proven = balancer.confirmed && balancer.generation.running === served;
  return `nginx serves generation ${served}, ${proven ? 'confirmed' : 'not confirmed yet'}`;
}

function etcdOf({ balancer }: View): string {
  if (!balancer) return 'etcd: unknown';
  return balancer.etcd.connected ? 'etcd answers' : 'etcd does not answer: the last pool stands';
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, column) => clip(cell, WIDTHS[column] ?? 0))
    .join(' ')
    .trimEnd();
}

function clip(cell: string, width: number): string {
  return (cell.length > width ? `${cell.slice(0, width - 1)}…` : cell).padEnd(width);
}
