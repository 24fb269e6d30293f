/**
 * How many requests a fault may cost at most.
 */
import type { Stage } from './chapter.ts';

const MARGIN = 1.25;
const BESIDES = 3;

/** All that are sent in this time. */
export function allOf({ client }: Stage, spanMs: number): number {
  return Math.ceil((MARGIN * client.perSecond * spanMs) / 1000) + BESIDES;
}

/** The part of them that one backend of the pool gets. */
export function shareOf(stage: Stage, spanMs: number): number {
  return Math.ceil(allOf(stage, spanMs) / stage.cluster.backends.length) + BESIDES;
}
