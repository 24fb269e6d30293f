/** A prober on a target that is complete but for what a test says, and what it has told since. */
import type { LookupFunction } from 'node:net';
import { systemClock } from '../../../src/lib/clock.ts';
import { openProber } from '../../../src/watchdog/probe/prober.ts';
import type { ProbeResult } from '../../../src/watchdog/probe/result.ts';
import type { HttpTarget, ProbeTarget } from '../../../src/watchdog/probe/target.ts';
import { never } from '../../support/virtual-clock.ts';

/** No probe of a test comes near it, unless the test says so. */
const generousMs = 10_000;

export interface Probing extends Disposable {
  probe(signal?: AbortSignal): Promise<ProbeResult>;
  /** How often the other side has closed the idle connection. */
  readonly idleCloses: number;
}

export function open(target: ProbeTarget, lookup?: LookupFunction): Probing {
  let idleCloses = 0;
  const prober = openProber(target, {
    clock: systemClock,
    onIdleClose: () => (idleCloses += 1),
    ...(lookup && { lookup }),
  });
  return {
    probe: (signal = never) => prober.probe(signal),
    get idleCloses() {
      return idleCloses;
    },
    [Symbol.dispose]: () => prober[Symbol.dispose](),
  };
}

export const httpTarget = (url: string, rest: Partial<HttpTarget> = {}): HttpTarget => ({
  ...{ kind: 'http', url, method: 'GET', timeoutMs: generousMs, keepIdle: false },
  ...{ statuses: [{ from: 200, to: 399 }], headers: [], bodyLimitBytes: 64 * 1024, redirects: 0 },
  ...rest,
});

export function tcpTarget(url: string, rest: { timeoutMs?: number; keepIdle?: boolean } = {}) {
  const { hostname: host, port } = new URL(url);
  const usual = { timeoutMs: generousMs, keepIdle: false };
  return { kind: 'tcp', host, port: Number(port), ...usual, ...rest } as const;
}

/** One probe of its own. */
export async function probeOnce(target: ProbeTarget, lookup?: LookupFunction) {
  using probing = open(target, lookup);
  return await probing.probe();
}
