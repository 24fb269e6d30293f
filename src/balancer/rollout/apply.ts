/**
 * The steps that change something: stage, check, swap, reload, and putting the old
 * file back. Each takes the rollout as it was and returns it as it now is; a step
 * that failed is a value with its reason, and the loop's next turn decides anew.
 */
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ConfigFile } from '../nginx/config-file.ts';
import type { Nginx } from '../nginx/nginx.ts';
import type { Rendered } from '../render/render.ts';
import { type Decision, failed, reloaded, type Rollout, type Step } from './rollout.ts';

export interface ApplyDeps {
  readonly file: ConfigFile;
  readonly nginx: Nginx;
  readonly clock: Clock;
  readonly random: () => number;
}

export async function apply(
  decision: Decision,
  rollout: Rollout,
  rendered: Rendered,
  deps: ApplyDeps,
  signal: AbortSignal,
): Promise<Rollout> {
  const { clock, random } = deps;
  const { generation } = rendered;
  const fail = (step: Step, reason: string) =>
    failed(rollout, { generation, step, reason }, clock.now(), random);
  switch (decision.kind) {
    case 'wait':
    case 'confirmed':
      return rollout;
    case 'swap': {
      const served = rollout.answer.kind === 'serves' ? rollout.answer.generation : undefined;
      const refusal = await swap(rendered, served, deps, signal);
      return refusal === undefined
        ? await reload(rollout, generation, deps, signal)
        : fail('swap', refusal);
    }
    case 'reload':
      return await reload(rollout, generation, deps, signal);
    case 'give up':
      return fail('confirm', `${decision.reason}${await putBack(rollout, deps)}`);
    default:
      return decision satisfies never;
  }
}

/** @returns undefined once the new file is in place, else why the old one still is. */
async function swap(
  { text }: Rendered,
  served: string | undefined,
  { file, nginx }: ApplyDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await file.stage(text);
    const refusal = await nginx.check(file.stagedPath, signal);
    if (refusal !== undefined) {
      await file.discard();
      return `nginx refuses the file: ${refusal}`;
    }
    await file.commit(served);
    return undefined;
  } catch (error) {
    await file.discard().catch(() => {});
    return messageOf(error);
  }
}

async function reload(
  rollout: Rollout,
  generation: string,
  { nginx, clock, random }: ApplyDeps,
  signal: AbortSignal,
): Promise<Rollout> {
  const reason = await nginx.reload(signal);
  const now = clock.now();
  const asked = reloaded(rollout, generation, now);
  return reason === undefined
    ? asked
    : failed(asked, { generation, step: 'reload', reason }, now, random);
}

/** An nginx that goes on with the old generation must find the old file when it starts again. */
async function putBack({ answer }: Rollout, { file }: ApplyDeps): Promise<string> {
  if (answer.kind !== 'serves') return '';
  try {
    return (await file.restore(answer.generation))
      ? '; the file that it serves is back in place'
      : '; the file that it serves is no longer here to be put back';
  } catch (error) {
    return `; the previous file could not be put back: ${messageOf(error)}`;
  }
}
