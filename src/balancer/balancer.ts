/**
 * The balancer's loop. One turn: what should nginx serve, is it time, what does it serve, and
 * one step towards it. A change in etcd rings; without any ring the loop turns on
 * every tick all the same. Nothing known of etcd means nothing is changed.
 */
import { Wakeup } from '../lib/wakeup.ts';
import { foldGenerations, type Generations, noGenerations } from './nginx/generations.ts';
import type { Census } from './pool/census.ts';
import { Knowledge, type KnowledgeDeps } from './pool/knowledge.ts';
import type { Rendered } from './render/render.ts';
import { apply } from './rollout/apply.ts';
import { type Change, changeOf, type Delivery } from './rollout/delivery.ts';
import { Plan, type PlanDeps, type Planned } from './rollout/plan.ts';
import {
  type Decision,
  decide,
  nothingObserved,
  observe,
  type Rollout,
  rolloutTimes,
} from './rollout/rollout.ts';

/** What nginx would start on, what it answers, and its processes. */
export type Look = Pick<Rollout, 'atRest' | 'answer' | 'workers'>;

export interface BalancerDeps extends KnowledgeDeps, PlanDeps {
  /** Must not throw. */
  readonly look: (signal: AbortSignal) => Promise<Look>;
  readonly ways: Readonly<Record<Change, Delivery>>;
  /** Told the whole state after every turn, for logs, metrics, status and etcd; must not throw. */
  readonly onTurn: (turn: Turn) => void;
}

/** Everything that one turn of the loop knew and decided. */
export interface Turn extends Planned {
  readonly censuses: readonly Census[];
  readonly rollout: Rollout;
  readonly generations: Generations;
  readonly decision: Decision;
}

export type Outcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const idle: Decision = { kind: 'wait', forMs: rolloutTimes.tickMs };

/**
 * Runs until the signal aborts, or, when asked for `once`, until nginx serves what is
 * wanted or something failed on the way. Never throws.
 */
export async function runBalancer(
  deps: BalancerDeps,
  { once }: { readonly once: boolean },
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock, look, ways } = deps;
  const bell = new Wakeup();
  await using knowledge = new Knowledge(deps, () => bell.ring(), signal);
  const plan = new Plan(deps);
  let rollout = nothingObserved;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let generations = noGenerations;
  let served: Rendered | undefined;

  while (!signal.aborted) {
    const known = knowledge.update();
    const planned = await plan.next(known, livingOf(generations, rollout));
    const { target, pace } = planned;

    if (!(pace.due && isFresh(rollout, clock.now() - lookedAtMs))) {
      const seen = await look(signal);
      // An answer that the shutdown cut off says nothing about nginx.
      if (signal.aborted) break;
      lookedAtMs = clock.now();
      rollout = observe(rollout, seen, lookedAtMs);
      generations = foldGenerations(generations, rollout.workers, lookedAtMs);
    }

    let decision = idle;
    let isSolved = false;
    if (target) {
      const { failure } = rollout;
      const way = ways[changeOf(served, target.rendered)];
      decision = decide(rollout, target.rendered.generation, clock.now());
      rollout = await apply(decision, rollout, target.rendered, way, deps, signal);
      if (signal.aborted) break;
      if (decision.kind === 'confirmed') served = target.rendered;
      if (decision.kind === 'deliver' && rollout.told) plan.accepted();
      const refused = rollout.failure?.step === 'check' && rollout.failure !== failure;
      // It is tried again without those that it was refused for, and at once.
      isSolved = refused && (await plan.refused(way, signal));
      if (isSolved) bell.ring();
    }
    const turn: Turn = { ...known, ...planned, rollout, generations, decision };
    deps.onTurn(turn);
    const outcome = once && !isSolved ? outcomeOf(turn) : undefined;
    if (outcome) return outcome;
    await bell.wait(pauseOf(turn), clock, signal);
  }
  return { ok: false, reason: 'stopped' };
}

/** Until it is proven alone, the one before what nginx was told of lives too, whatever it is titled. */
const livingOf = ({ living }: Generations, { told }: Rollout) =>
  living === undefined ? undefined : living + Number(told !== undefined);

/**
 * For what has just become due, the last look at a well nginx is young enough: to look again would
 * only cost time, and afterwards it is looked at all the more closely.
 */
const isFresh = ({ answer }: Rollout, ageMs: number) =>
  answer.kind === 'serves' && ageMs < rolloutTimes.tickMs;

function pauseOf({ decision, pace }: Turn): number {
  const { pollMs, tickMs } = rolloutTimes;
  if (decision.kind === 'deliver') return pollMs;
  const decisionMs = decision.kind === 'wait' ? decision.forMs : tickMs;
  return pace.due ? decisionMs : Math.min(decisionMs, pace.forMs);
}

/** For `once`: done, failed, or undefined: not yet. */
function outcomeOf({ censuses, draft, target, rollout, decision }: Turn): Outcome | undefined {
  if (draft && !draft.ok) return { ok: false, reason: draft.fault };
  if (decision.kind === 'confirmed') return { ok: true };
  const untold = censuses.find(({ source, view }) => source === 'nowhere' && view.trouble);
  const { failure } = rollout;
  const isOurs = failure?.generation === target?.rendered.generation;
  const reason = (isOurs ? failure?.reason : undefined) ?? untold?.view.trouble;
  return reason === undefined ? undefined : { ok: false, reason };
}
