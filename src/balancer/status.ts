/** The balancer's /status: the state of its last turn as JSON. */
import { heldOf } from './pool/absence.ts';
import type { Turn } from './balancer.ts';

export function balancerStatus(turn: Turn | undefined, nowMs: number) {
  const { view, rollout } = turn ?? {};
  const answer = rollout?.answer;
  return {
    generation: {
      wanted: turn?.wanted?.generation ?? null,
      onDisk: rollout?.onDisk ?? null,
      running: answer?.kind === 'serves' ? answer.generation : null,
    },
    confirmed: turn?.decision.kind === 'confirmed',
    trouble: turn?.templateFault ?? rollout?.failure?.reason ?? null,
    revision: view?.snapshot ? String(view.snapshot.revision) : null,
    backends: turn ? backendsOf(turn) : [],
    etcd: {
      connected: view?.connected ?? false,
      trouble: view?.trouble ?? null,
      dataAgeMs: view?.listedAtMs === undefined ? null : Math.round(nowMs - view.listedAtMs),
      missedEvents: view?.snapshot?.missed ?? 0,
    },
  };
}

function backendsOf({ roster, pool }: Turn) {
  return [
    ...[...roster.present.values()].map(({ key, address }) => ({ key, address, state: 'in pool' })),
    ...heldOf(roster).map(({ backend: { key, address }, heldBecause }) => ({
      key,
      address,
      state: 'held',
      reason: heldBecause,
    })),
    ...pool.setAside.map(({ key, reason }) => ({ key, address: null, state: 'set aside', reason })),
  ];
}

/** Why the balancer is not ready: undefined once nginx serves what is wanted. */
export function unreadyReason(turn: Turn | undefined): string | undefined {
  if (!turn?.wanted) return turn?.view.trouble ?? 'etcd has not answered yet';
  if (turn.templateFault !== undefined) return turn.templateFault;
  if (turn.decision.kind === 'confirmed') return undefined;
  return turn.rollout.failure?.reason ?? 'nginx does not serve the wanted generation yet';
}
