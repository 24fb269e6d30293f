/**
 * The seam between what nginx should serve and how it gets there. A change of the configuration
 * and a change of the membership alone are told apart, and each has its way. There is one way for
 * now, the file and a reload, for both. Another one for the membership, without a reload, has to
 * do three things: bring it to nginx, see to it that nginx finds it when it starts anew, and have
 * nginx answer with the generation that it then serves. The loop, the confirmation and the
 * acknowledgement look at nothing but that answer.
 */
import type { LoadTrace } from '../nginx/error-log.ts';
import type { Rendered } from '../render/render.ts';
import type { Workers } from '../nginx/workers.ts';
import type { Rollout, Step } from './rollout.ts';

export type Delivered =
  /** nginx was told. That it serves it is for its own answer to say. */
  | { readonly kind: 'told'; readonly before: Workers | undefined }
  /** It was the same to the letter as what nginx did not take before, and was left alone. */
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'failed';
      readonly step: Exclude<Step, 'confirm'>;
      readonly reason: string;
      /** What nginx would start on is the new one all the same. */
      readonly atRest: boolean;
    };

export interface Delivery {
  /** @returns why nginx would refuse it; undefined: it would not, or that cannot be told. */
  faultOf(wanted: Rendered, signal: AbortSignal): Promise<string | undefined>;
  /** Brings `wanted` to nginx. Throws nothing but the signal's reason. */
  deliver(wanted: Rendered, rollout: Rollout, signal: AbortSignal): Promise<Delivered>;
  /**
   * nginx did not take what it was told of, and goes on with `served` (undefined: it says
   * nothing). What it would start on becomes that again.
   */
  takeBack(served: string | undefined, signal: AbortSignal): Promise<TakenBack>;
}

export interface TakenBack {
  /** Of all that nginx was to read. */
  readonly fingerprint: string | undefined;
  /** Whether nginx refused it, in its own words where it said so, or never heard of it. */
  readonly trace: LoadTrace;
  /** What was done, to be put behind a reason. */
  readonly words: string;
}

export type Change = 'configuration' | 'membership';

/** @param served what this process last saw confirmed; undefined: nothing yet, so it may be any. */
export const changeOf = (
  served: Pick<Rendered, 'configuration'> | undefined,
  wanted: Rendered,
): Change => (served?.configuration === wanted.configuration ? 'membership' : 'configuration');
