/** What several tellers conclude from a turn. Pure. */
import type { Turn } from '../balancer.ts';
import { heldOf } from '../pool/absence.ts';
import type { Census } from '../pool/census.ts';
import type { Drained } from '../pool/drains.ts';
import type { PaceReason } from '../rollout/pacing.ts';
import type { Quarantine, Quarantined } from '../rollout/quarantine.ts';
import type { NginxAnswer } from '../nginx/answer.ts';
import type { Service } from '../../options/service.ts';

/** nginx serves all that is wanted now, and nothing older takes requests. */
export const isSettled = ({ decision, draft, target }: Turn): boolean =>
  decision.kind === 'confirmed' && draft?.ok === true && draft.rendered === target?.rendered;

/** Those of one service. */
export const quarantinedOf = (
  quarantine: Quarantine,
  { prefix }: Service,
): readonly Quarantined[] =>
  [...quarantine.values()].filter(({ backend }) => backend.key.startsWith(`${prefix}/`));

/** Whoever is held all the same is told of as that. */
export function drainedOf({ drained, roster }: Census): readonly Drained[] {
  const held = new Set(heldOf(roster).map(({ backend }) => backend.key));
  return held.size === 0 ? drained : drained.filter(({ key }) => !held.has(key));
}

export const servedBy = (answer: NginxAnswer) =>
  answer.kind === 'serves' ? answer.generation : undefined;

export const waitReasons = ['settling', 'reloads', 'generations'] as const satisfies PaceReason[];
