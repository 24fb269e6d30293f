/** A watchdog on a fake etcd and a virtual clock; what its probes see is up to the test. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { acknowledgementsBelow } from '../../src/registry/acknowledgement.ts';
import { drainOrderKey } from '../../src/registry/drain-order.ts';
import { formatRecord, recordKey as recordKeyOf } from '../../src/registry/record.ts';
import type { Drain, DrainRules } from '../../src/watchdog/drain/drain.ts';
import { Onlooker } from '../../src/watchdog/drain/onlooker.ts';
import type { Course, Rules } from '../../src/watchdog/course.ts';
import { follow } from '../../src/registry/follow.ts';
import type { Outcome } from '../../src/watchdog/registration/outcome.ts';
import type { FailedProbe, ProbeResult } from '../../src/watchdog/probe/result.ts';
import type { WatchdogStatus } from '../../src/watchdog/observer.ts';
import { Registration } from '../../src/watchdog/registration/registration.ts';
import { runWatchdog, type WatchdogBells } from '../../src/watchdog/watchdog.ts';
import { recordOf } from './builders.ts';
import { fakeLeaseStore } from './fake-lease-store.ts';
import { recordedLog } from './recorded-log.ts';
import { virtualClock } from './virtual-clock.ts';

export const key = '/test/apache-8001';
export const recordKey = recordKeyOf('/rollcall', key);
export const orderKey = drainOrderKey('/rollcall', key);
export const acknowledgements = acknowledgementsBelow('/rollcall', '/test');
export const value = '127.0.0.1:8001';

const defaults: Rules = {
  ...{ intervalMs: 1000, fastIntervalMs: 250, timeoutMs: 1000 },
  ...{ rise: 2, fall: 2, startGraceMs: 0 },
};

/** What apache does with a probe: how long it takes, and what comes of it. */
export interface Answer {
  readonly afterMs: number;
  readonly failure?: Pick<FailedProbe, 'kind' | 'reason'>;
}

export const well: Answer = { afterMs: 1 };
export const refused: Answer = {
  afterMs: 0,
  failure: { kind: 'refused', reason: 'connection refused' },
};
export const hung: Answer = { afterMs: Number.POSITIVE_INFINITY };

export interface Apache {
  answer: (probe: number) => Answer;
}

const record = ({ health, since, reason }: Course, drain: Drain | undefined) =>
  formatRecord(
    recordOf({
      ...{ instance: 'us', state: health.state, since: since.toISOString() },
      reason: reason ?? null,
      drain: drain ? { by: drain.by, since: drain.since.toISOString() } : null,
    }),
  );

const random = () => 0;

/** Nobody is waited for: what is about drains says so. */
const drainDefaults: DrainRules = {
  ...{ timeoutMs: 0, graceMs: 2000, lingerMs: 0, balancers: 0, until: 'confirmed' },
};

export function watching(
  change: Partial<Rules> = {},
  byHand: 'restore' | 'respect' = 'restore',
  drain: Partial<DrainRules> = {},
) {
  const rules = { ...defaults, ...change };
  const ttlMs = 5000;
  const stop = new AbortController();
  const clock = virtualClock();
  const store = fakeLeaseStore();
  const { log, lines } = recordedLog();
  const apache: Apache = { answer: () => well };
  const bells: WatchdogBells = { onIdleClose: () => {}, onKeyChange: () => {} };
  const seen = {
    startsMs: [] as number[],
    most: 0,
    companions: 0,
    leavings: 0,
    drained: [] as string[],
    results: [] as ProbeResult[],
    outcomes: [] as Outcome[],
    closes: [] as string[],
    statuses: [] as WatchdogStatus[],
  };
  let flying = 0;

  const probe = async (signal: AbortSignal): Promise<ProbeResult> => {
    const startedAtMs = clock.now();
    const { afterMs, failure } = apache.answer(seen.startsMs.length);
    seen.startsMs.push(startedAtMs);
    seen.most = Math.max(seen.most, (flying += 1));
    await clock.sleep(Math.min(afterMs, rules.timeoutMs), signal);
    flying -= 1;
    const timing = { startedAtMs, durationMs: clock.now() - startedAtMs };
    if (afterMs > rules.timeoutMs) {
      return { passed: false, kind: 'timeout', phase: 'headers', reason: 'timeout', ...timing };
    }
    if (failure) return { passed: false, phase: 'connect', ...failure, ...timing };
    return { passed: true, ...timing };
  };

  const registration = new Registration(
    { key, recordKey, orderKey, value, instance: 'us', ttlMs, evidenceMs: 2000, byHand },
    store,
    clock,
    { onLease: () => {} },
  );
  const ended = runWatchdog(
    {
      ...{ probe, registration, record, rules, ttlMs, bells, clock, random, log },
      backend: { key, address: value },
      drain: { ...drainDefaults, ...drain },
      onlooker: new Onlooker({ store, key, acknowledgements, clock, random }),
      onLeaving: () => (seen.leavings += 1),
      aliveEveryMs: undefined,
      observer: {
        onProbe: (result) => seen.results.push(result),
        onCompanion: () => (seen.companions += 1),
        onIdleClose: (outcome) => seen.closes.push(outcome),
        onTransition: () => {},
        onOutcome: (outcome) => seen.outcomes.push(outcome),
        onDrained: (by, end) => seen.drained.push(`${by}: ${end}`),
        onEtcdFailure: () => {},
        onLag: () => {},
        onTurn: (status) => seen.statuses.push(status),
      },
    },
    stop.signal,
  );
  const followed = { store, clock, random, onChange: () => bells.onKeyChange() };
  const over = new AbortController();
  void follow([{ key }, { key: orderKey }], followed, over.signal);

  return {
    ...{ clock, store, apache, bells, seen, ended },
    stop: () => stop.abort(new Error('stopped')),
    settle: async () => {
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    },
    news: () => lines.filter((line) => !line.startsWith('debug')),
    status: () => seen.statuses.at(-1),
    state: () => seen.statuses.at(-1)?.course.health.state,
    [Symbol.asyncDispose]: async () => {
      store.beforeAnswer = () => Promise.resolve();
      stop.abort(new Error('the test is over'));
      await clock.advance(drain.timeoutMs ?? 0);
      await ended;
      over.abort();
    },
  };
}
