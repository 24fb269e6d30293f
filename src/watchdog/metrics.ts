/** The watchdog's metrics, and the observer that keeps them. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { registerBuildInfo } from '../lib/build-info.ts';
import { codeOf } from '../lib/errors.ts';
import { drainCauses } from './drain/drain.ts';
import { healthStates } from './health.ts';
import type { KeyLeaseObserver } from './registration/key-lease.ts';
import type { WatchdogObserver, WatchdogStatus } from './observer.ts';
import { type Bounds, bounds, type Cadence } from './timing.ts';

export interface WatchdogMetrics {
  readonly registry: Registry;
  readonly observer: Omit<WatchdogObserver, 'onTurn'> & KeyLeaseObserver;
}

/** @param leaseRemainingMs asked at each scrape. @param status likewise; undefined: no turn has ended. */
export function watchdogMetrics(
  cadence: Cadence,
  ttlMs: number,
  leaseRemainingMs: () => number,
  status: () => Pick<WatchdogStatus, 'isInRotation' | 'drain'> | undefined,
): WatchdogMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  registerBuildInfo(registry);

  const duration = new Histogram({
    name: 'rollcall_probe_duration_seconds',
    help: 'How long probes took.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const probes = counter(
    'rollcall_probes_total',
    'Probes by result: passed, or why they failed.',
    'result',
  );
  const companions = counter(
    'rollcall_companion_probes_total',
    'Probes started beside one that took longer than the backend usually does.',
  );
  const idleCloses = counter(
    'rollcall_idle_closes_total',
    'Idle connections closed by the backend: probed at once, or muted.',
    'outcome',
  );
  const state = new Gauge({
    name: 'rollcall_backend_state',
    help: 'The state of the backend: 1 for the one it is in, 0 for the others.',
    labelNames: ['state'],
    registers,
  });
  const transitions = counter(
    'rollcall_backend_transitions_total',
    'Changes of state.',
    'from',
    'to',
  );
  const registrations = counter(
    'rollcall_registrations_total',
    'Outcomes of asking etcd to hold or remove the key.',
    'outcome',
  );
  const failures = counter(
    'rollcall_etcd_failures_total',
    'Attempts that etcd did not answer or refused, by cause.',
    'cause',
  );
  const leases = counter(
    'rollcall_lease_renewals_total',
    'What became of the lease of the key: granted, renewed, or gone when it was to be renewed.',
    'result',
  );
  const conflicts = counter(
    'rollcall_ownership_conflicts_total',
    'Times that another watchdog was found to hold the key.',
  );
  const repairs = counter(
    'rollcall_repairs_total',
    'Changes by others that were put right: the key deleted or overwritten, the record changed.',
    'what',
  );
  const drains = counter(
    'rollcall_drains_total',
    'Drains by what they were for, and how they ended.',
    'by',
    'end',
  );
  const bound = new Gauge({
    name: 'rollcall_bound_seconds',
    help: 'The longest time that a key can outlive the right to it, by what went wrong.',
    labelNames: ['case'],
    registers,
  });
  const lag = new Gauge({
    name: 'rollcall_event_loop_delay_seconds',
    help: 'How late the loop came back from its pauses, at most, since the last scrape.',
    registers,
    collect() {
      this.set(worstLagMs / 1000);
      worstLagMs = 0;
    },
  });
  new Gauge({
    name: 'rollcall_lease_remaining_seconds',
    help: 'Time until the lease of the key runs out unless a probe passes; 0 without a lease.',
    registers,
    collect() {
      this.set(leaseRemainingMs() / 1000);
    },
  });

  new Gauge({
    name: 'rollcall_in_rotation',
    help: 'The key is held, and every live balancer has confirmed that its nginx serves it.',
    registers,
    collect() {
      this.set(status()?.isInRotation ? 1 : 0);
    },
  });
  new Gauge({
    name: 'rollcall_draining',
    help: 'The key is let go on purpose, by an operator or since the watchdog stops.',
    labelNames: ['by'],
    registers,
    collect() {
      for (const by of drainCauses) this.set({ by }, status()?.drain?.by === by ? 1 : 0);
    },
  });

  let worstLagMs = 0;
  let isTaken = false;
  lag.set(0);
  const showState = (current: string) => {
    for (const one of healthStates) state.set({ state: one }, one === current ? 1 : 0);
  };
  const showBounds = (grantedMs: number) => {
    for (const [key, ms] of Object.entries(bounds(cadence, grantedMs) satisfies Bounds)) {
      bound.set({ case: key.slice(0, -'Ms'.length) }, ms / 1000);
    }
  };
  showState('starting');
  showBounds(ttlMs);

  return {
    registry,
    observer: {
      onProbe: (result) => {
        duration.observe(result.durationMs / 1000);
        probes.inc({ result: result.passed ? 'passed' : result.kind });
      },
      onCompanion: () => companions.inc(),
      onIdleClose: (outcome) => idleCloses.inc({ outcome }),
      onTransition: (from, to) => {
        transitions.inc({ from: from.state, to: to.state });
        showState(to.state);
      },
      onOutcome: (outcome) => {
        registrations.inc({ outcome: outcome.kind.replaceAll(' ', '_') });
        if (outcome.kind === 'taken' && !isTaken) conflicts.inc();
        isTaken = outcome.kind === 'taken';
        if (outcome.kind === 'record repaired') repairs.inc({ what: 'record' });
        if (outcome.kind === 'written' && outcome.because === 'deleted by hand') {
          repairs.inc({ what: 'key_deleted' });
        }
        if (outcome.kind === 'written' && outcome.because === 'overwritten by hand') {
          repairs.inc({ what: 'key_overwritten' });
        }
      },
      onDrained: (by, end) => drains.inc({ by, end: end.replaceAll(' ', '_') }),
      onEtcdFailure: (error) => failures.inc({ cause: causeOf(error) }),
      onLag: (lateMs) => (worstLagMs = Math.max(worstLagMs, lateMs)),
      onLease: (result, grantedMs) => {
        leases.inc({ result });
        if (grantedMs > 0) showBounds(grantedMs);
      },
    },
  };
}

/** Of the code of an error, a bounded set; the log has the whole reason. */
const causes: Readonly<Record<string, string>> = {
  DEADLINE: 'deadline',
  ETCD_CONNECTION: 'connection',
  ETCD_LOGIN: 'login',
  ETCD_PERMISSION: 'permission',
  ETCD_REFUSED: 'refused',
  ETCD_TOKEN: 'token',
  LOST_RACE: 'lost_race',
  STALE_EVIDENCE: 'stale_evidence',
};

const causeOf = (error: unknown) => causes[codeOf(error) ?? ''] ?? 'other';
