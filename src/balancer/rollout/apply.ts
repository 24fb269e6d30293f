/**
 * One decision, carried out. It takes the rollout as it was and returns it as it now is; a
 * step that failed is a value with its reason, and the loop's next turn decides anew.
 */
import type { Clock } from '../../lib/clock.ts';
import type { LoadTrace } from '../nginx/error-log.ts';
import type { Rendered } from '../render/render.ts';
import type { Delivery } from './delivery.ts';
import { withRefusal } from './refusals.ts';
import { confirmed, type Decision, failed, type Rollout, type Step, toldOf } from './rollout.ts';

export interface ApplyDeps {
  readonly clock: Clock;
  readonly random: () => number;
}

export async function apply(
  decision: Decision,
  rollout: Rollout,
  wanted: Rendered,
  way: Delivery,
  { clock, random }: ApplyDeps,
  signal: AbortSignal,
): Promise<Rollout> {
  const { generation } = wanted;
  const fail = (from: Rollout, step: Step, reason: string) =>
    failed(from, { generation, step, reason }, clock.now(), random);
  switch (decision.kind) {
    case 'wait':
      return rollout;
    case 'confirmed':
      return confirmed(rollout);
    case 'deliver': {
      const delivered = await way.deliver(wanted, rollout, signal);
      if (delivered.kind === 'told') {
        return toldOf(rollout, generation, delivered.before, clock.now());
      }
      if (delivered.kind === 'unchanged') {
        const reason = rollout.failure?.generation === generation ? rollout.failure.reason : '';
        return fail(rollout, 'confirm', reason || 'nginx did not take it before, as it is');
      }
      const { step, reason, atRest } = delivered;
      return fail(atRest ? { ...rollout, atRest: generation } : rollout, step, reason);
    }
    case 'give up': {
      const { answer } = rollout;
      const served = answer.kind === 'serves' ? answer.generation : undefined;
      const { fingerprint, trace, words } = await way.takeBack(served, signal);
      const said = trace.kind === 'refused' ? `nginx refuses to load it: ${trace.words}; ` : '';
      const step = trace.kind === 'no trace' ? 'reload' : 'confirm';
      const after = fail(rollout, step, `${said}${decision.reason}${words}`);
      if (!isRefusal(rollout, generation, trace)) return after;
      const refusal = { fingerprint, atMs: clock.now() };
      return { ...after, refusals: withRefusal(rollout.refusals, generation, refusal) };
    }
    default:
      return decision satisfies never;
  }
}

/**
 * A silent nginx refused nothing: it is not there. Nor did one that says in its log what it refuses,
 * and says nothing: the word was lost. Where its log cannot be read, the second time is taken for one.
 */
function isRefusal({ answer, failure }: Rollout, generation: string, trace: LoadTrace): boolean {
  if (answer.kind !== 'serves' || trace.kind === 'no trace') return false;
  const again = failure?.generation === generation && failure.step === 'confirm';
  return trace.kind === 'refused' || again;
}
