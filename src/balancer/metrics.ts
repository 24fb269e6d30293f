/** The balancer's metrics. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../lib/clock.ts';
import { registerBuildInfo } from '../lib/build-info.ts';
import { heldOf } from './pool/absence.ts';
import type { Turn } from './balancer.ts';

export interface BalancerMetrics {
  readonly registry: Registry;
  /** From a change of what is wanted to nginx's first answer with it. */
  readonly convergence: Histogram;
  readonly attempts: Counter<'result'>;
  readonly show: (turn: Turn) => void;
}

export function balancerMetrics(clock: Clock): BalancerMetrics {
  const registry = new Registry();
  const registers = [registry];
  let turn: Turn | undefined;
  const gauge = (name: string, help: string, value: (turn: Turn) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        if (turn) this.set(value(turn));
      },
    });
  registerBuildInfo(registry);
  new Gauge({
    name: 'rollcall_pool_backends',
    help: 'Keys below the prefix by state: in the pool, held in it without a key, set aside.',
    labelNames: ['state'],
    registers,
    collect() {
      if (!turn) return;
      this.set({ state: 'in_pool' }, turn.roster.present.size);
      this.set({ state: 'held' }, heldOf(turn.roster).length);
      this.set({ state: 'set_aside' }, turn.pool.setAside.length);
    },
  });
  gauge('rollcall_etcd_connected', '1 while a confirmed watch runs.', ({ view }) =>
    Number(view.connected),
  );
  gauge(
    'rollcall_data_age_seconds',
    'Since the last complete listing of the prefix; NaN before the first.',
    ({ view }) => (clock.now() - (view.listedAtMs ?? Number.NaN)) / 1000,
  );
  gauge(
    'rollcall_revision',
    'The etcd revision that the wanted pool reflects.',
    ({ view }) => view.snapshot?.revision ?? 0,
  );
  gauge(
    'rollcall_missed_events',
    'Changes since the start that no watch told and a listing repaired.',
    ({ view }) => view.snapshot?.missed ?? 0,
  );
  gauge(
    'rollcall_generation_confirmed',
    '1 while nginx serves what is wanted and nothing older.',
    ({ decision }) => Number(decision.kind === 'confirmed'),
  );
  return {
    registry,
    convergence: new Histogram({
      name: 'rollcall_convergence_seconds',
      help: 'From a change of the pool to the first answer of nginx with it.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    attempts: new Counter({
      name: 'rollcall_rollouts_total',
      help: 'Rollouts by result: confirmed, or the step that failed.',
      labelNames: ['result'],
      registers,
    }),
    show: (latest) => {
      turn = latest;
    },
  };
}
