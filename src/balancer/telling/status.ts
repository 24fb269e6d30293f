/** The balancer's /status: the state of its last turn as JSON. */
import type { Turn } from '../balancer.ts';
import { heldOf } from '../pool/absence.ts';
import type { Census } from '../pool/census.ts';
import type { Said } from '../said.ts';
import { drainedOf, isSettled, quarantinedOf, servedBy } from './facts.ts';

export function balancerStatus(turn: Turn | undefined, said: Said, nowMs: number) {
  const { draft, target, rollout, generations, pace } = turn ?? {};
  const censuses = turn?.censuses ?? [];
  return {
    generation: {
      wanted: (draft?.ok ? draft.rendered : target?.rendered)?.generation ?? null,
      onDisk: rollout?.atRest ?? null,
      running: (rollout && servedBy(rollout.answer)) ?? null,
      living: generations?.living ?? null,
    },
    confirmed: turn !== undefined && isSettled(turn),
    trouble: (draft?.ok === false ? draft.fault : rollout?.failure?.reason) ?? null,
    waiting: pace && !pace.due && pace.because !== 'nothing new' ? pace.because : null,
    services: censuses.map((census, n) => serviceOf(census, said.services[n]?.revision, nowMs)),
    backends: turn ? censuses.flatMap((census) => backendsOf(census, turn)) : [],
    // Of all services together: the worst of each.
    etcd: {
      connected: censuses.length > 0 && censuses.every(({ view }) => view.connected),
      trouble: censuses.find(({ view }) => view.trouble)?.view.trouble ?? null,
      dataAgeMs: censuses
        .map(({ view }) => ageOf(view.listedAtMs, nowMs))
        .reduce((a, b) => (a === null || b === null ? null : Math.max(a, b)), 0),
      missedEvents: censuses.reduce((sum, { view }) => sum + (view.snapshot?.missed ?? 0), 0),
    },
  };
}

const ageOf = (atMs: number | undefined, nowMs: number) =>
  atMs === undefined ? null : Math.round(nowMs - atMs);

function serviceOf(census: Census, applied: number | undefined, nowMs: number) {
  const { service, source, view, records, reflects } = census;
  return {
    ...{ name: service.name, prefix: service.prefix, source },
    revision: { wanted: reflects, applied: applied ?? 0 },
    etcd: {
      connected: view.connected,
      trouble: view.trouble ?? null,
      dataAgeMs: ageOf(view.listedAtMs, nowMs),
      missedEvents: view.snapshot?.missed ?? 0,
    },
    records: { connected: records.connected, trouble: records.trouble ?? null },
  };
}

function backendsOf(census: Census, turn: Turn) {
  const { service, roster, pool, served, source } = census;
  const of = { service: service.name };
  const out = new Map(
    quarantinedOf(turn.quarantine, service).map(({ backend, reason }) => [backend.key, reason]),
  );
  const there = source === 'disk' ? served : roster.backends;
  return [
    ...there.map(({ key, address, weight, meta }) => {
      const reason = out.get(key);
      return {
        ...{ ...of, key, address, weight, meta },
        ...(reason === undefined ? { state: 'in pool' } : { state: 'quarantined', reason }),
      };
    }),
    ...heldOf(roster).map(({ backend: { key, address, weight, meta }, heldBecause }) => ({
      ...{ ...of, key, address, weight, meta, state: 'held', reason: heldBecause },
    })),
    ...pool.setAside.map(({ key, reason }) => ({
      ...{ ...of, key, address: null, state: 'set aside', reason },
    })),
    ...drainedOf(census).map(({ key, address, reason }) => ({
      ...{ ...of, key, address, state: 'drained', reason },
    })),
  ];
}

/** Why the balancer is not ready: undefined once nginx serves what it was brought to. */
export function unreadyReason(turn: Turn | undefined): string | undefined {
  const unknown = turn?.censuses.find(({ source }) => source === 'nowhere');
  if (!turn || unknown) return unknown?.view.trouble ?? 'etcd has not answered yet';
  const { draft, decision, rollout } = turn;
  if (draft?.ok === false) return draft.fault;
  if (decision.kind === 'confirmed') return undefined;
  return rollout.failure?.reason ?? 'nginx does not serve the wanted generation yet';
}
