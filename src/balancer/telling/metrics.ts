/** The balancer's metrics. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { registerBuildInfo } from '../../lib/build-info.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Turn } from '../balancer.ts';
import { heldOf } from '../pool/absence.ts';
import type { Census } from '../pool/census.ts';
import type { Said } from '../said.ts';
import { drainedOf, isSettled, quarantinedOf, waitReasons } from './facts.ts';

export interface BalancerMetrics {
  readonly registry: Registry;
  /** From the arrival of a change to nginx's first answer with it. */
  readonly convergence: Histogram;
  readonly rollouts: Counter<'result'>;
  readonly rendering: Histogram;
  readonly checking: Histogram;
  readonly acknowledgements: Counter<'result'>;
  readonly show: (turn: Turn, said: Said) => void;
}

const quickBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const slowBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function balancerMetrics(clock: Clock): BalancerMetrics {
  const registry = new Registry();
  const registers = [registry];
  let shown: { readonly turn: Turn; readonly said: Said } | undefined;
  registerBuildInfo(registry);

  const gauge = (name: string, help: string, value: (turn: Turn) => number) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        if (shown) this.set(value(shown.turn));
      },
    });
  const byService = (
    name: string,
    help: string,
    value: (census: Census, said: Said, n: number) => number,
  ) =>
    new Gauge({
      ...{ name, help, registers, labelNames: ['service'] },
      collect() {
        if (!shown) return;
        const { turn, said } = shown;
        for (const [n, census] of turn.censuses.entries()) {
          this.set({ service: census.service.name }, value(census, said, n));
        }
      },
    });
  const counter = (name: string, help: string) =>
    new Counter({ name, help, registers, labelNames: ['result'] });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, registers, buckets });

  new Gauge({
    name: 'rollcall_pool_backends',
    help: 'Keys by state: in the pool, held in it without a key, quarantined, set aside, drained.',
    labelNames: ['service', 'state'],
    registers,
    collect() {
      if (!shown) return;
      const { censuses, quarantine } = shown.turn;
      for (const census of censuses) {
        const { service, roster, pool } = census;
        const name = service.name;
        const out = quarantinedOf(quarantine, service).length;
        this.set({ service: name, state: 'in_pool' }, roster.backends.length - out);
        this.set({ service: name, state: 'held' }, heldOf(roster).length);
        this.set({ service: name, state: 'quarantined' }, out);
        this.set({ service: name, state: 'set_aside' }, pool.setAside.length);
        this.set({ service: name, state: 'drained' }, drainedOf(census).length);
      }
    },
  });
  new Gauge({
    name: 'rollcall_waiting',
    help: '1 while a change waits: for a quiet moment, for its turn to reload, or for old generations to end.',
    labelNames: ['because'],
    registers,
    collect() {
      const because = shown?.turn.pace.due === false ? shown.turn.pace.because : undefined;
      for (const reason of waitReasons) this.set({ because: reason }, Number(because === reason));
    },
  });
  new Gauge({
    name: 'rollcall_generation_info',
    help: 'Always 1: the generation that nginx answers with.',
    labelNames: ['generation'],
    registers,
    collect() {
      this.reset();
      const answer = shown?.turn.rollout.answer;
      if (answer?.kind === 'serves') this.set({ generation: answer.generation }, 1);
    },
  });
  new Counter({
    name: 'rollcall_missed_events_total',
    help: 'Changes that no watch told and a listing repaired.',
    labelNames: ['service'],
    registers,
    collect() {
      this.reset();
      for (const { service, view } of shown?.turn.censuses ?? []) {
        this.inc({ service: service.name }, view.snapshot?.missed ?? 0);
      }
    },
  });
  byService('rollcall_etcd_connected', '1 while a confirmed watch runs.', ({ view }) =>
    Number(view.connected),
  );
  byService(
    'rollcall_data_age_seconds',
    'Since the last complete listing of the prefix; NaN before the first.',
    ({ view }) => (clock.now() - (view.listedAtMs ?? Number.NaN)) / 1000,
  );
  byService(
    'rollcall_revision',
    'The etcd revision that the wanted pool reflects; 0: none yet.',
    ({ reflects }) => reflects,
  );
  byService(
    'rollcall_revision_applied',
    'The etcd revision that nginx is known to serve, with nothing older; 0: none.',
    (_census, said, n) => said.services[n]?.revision ?? 0,
  );
  gauge(
    'rollcall_generation_confirmed',
    '1 while nginx serves what is wanted and nothing older.',
    (turn) => Number(isSettled(turn)),
  );
  gauge(
    'rollcall_living_generations',
    'Generations of nginx whose workers still live; NaN where its processes cannot be seen.',
    ({ generations }) => generations.living ?? Number.NaN,
  );
  return {
    registry,
    convergence: histogram(
      'rollcall_convergence_seconds',
      'From the arrival of a change to the first answer of nginx with it.',
      slowBuckets,
    ),
    rollouts: counter(
      'rollcall_rollouts_total',
      'Rollouts by result: confirmed, or the step that failed.',
    ),
    rendering: histogram(
      'rollcall_template_duration_seconds',
      'How long the template took.',
      quickBuckets,
    ),
    checking: histogram(
      'rollcall_check_duration_seconds',
      "How long nginx's check took.",
      quickBuckets,
    ),
    acknowledgements: counter(
      'rollcall_acknowledgements_total',
      'Writes of what was confirmed: written, repaired (it was gone), lost (with its lease), failed, agrees (again).',
    ),
    show: (turn, said) => {
      shown = { turn, said };
    },
  };
}
