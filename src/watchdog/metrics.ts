/** The watchdog's metrics, and the observer that keeps them. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { registerBuildInfo } from '../lib/build-info.ts';
import { healthStates } from './health.ts';
import type { WatchdogObserver } from './watchdog.ts';

export interface WatchdogMetrics {
  readonly registry: Registry;
  readonly observer: Omit<WatchdogObserver, 'onStatus'>;
}

export function watchdogMetrics(leaseRemainingMs: () => number): WatchdogMetrics {
  const registry = new Registry();
  const registers = [registry];
  registerBuildInfo(registry);
  const duration = new Histogram({
    name: 'rollcall_probe_duration_seconds',
    help: 'How long probes took.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const probes = new Counter({
    name: 'rollcall_probes_total',
    help: 'Probes by result: passed, or why they failed.',
    labelNames: ['result'],
    registers,
  });
  const state = new Gauge({
    name: 'rollcall_backend_state',
    help: 'The state of the backend: 1 for the one it is in, 0 for the others.',
    labelNames: ['state'],
    registers,
  });
  const transitions = new Counter({
    name: 'rollcall_backend_transitions_total',
    help: 'Changes of state.',
    labelNames: ['from', 'to'],
    registers,
  });
  const registrations = new Counter({
    name: 'rollcall_registrations_total',
    help: 'Outcomes of asking etcd to hold or release the key.',
    labelNames: ['outcome'],
    registers,
  });
  new Gauge({
    name: 'rollcall_lease_remaining_seconds',
    help: 'Time until the lease runs out unless a probe passes; 0 without a lease.',
    registers,
    collect() {
      this.set(leaseRemainingMs() / 1000);
    },
  });
  const showState = (current: string) => {
    for (const one of healthStates) state.set({ state: one }, one === current ? 1 : 0);
  };
  showState('starting');
  return {
    registry,
    observer: {
      onProbe: (result) => {
        duration.observe(result.durationMs / 1000);
        probes.inc({ result: result.passed ? 'passed' : result.kind });
      },
      onTransition: (from, to) => {
        transitions.inc({ from: from.state, to: to.state });
        showState(to.state);
      },
      onRegistration: (outcome) => registrations.inc({ outcome }),
    },
  };
}
