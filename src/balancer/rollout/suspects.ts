/**
 * Which backends make a whole file fail, in the template or in nginx's check. None where the file
 * fails without any backend in it: then the fault is with the configuration, and nobody is set
 * aside for it.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Backend } from '../../registry/backend.ts';
import type { ServedService } from '../render/render.ts';
import { type Culprit, findCulprits } from './bisect.ts';

export interface Suspects {
  readonly culprits: readonly Culprit<Backend>[];
  /** It came to an end. False: the time ran out before. */
  readonly complete: boolean;
}

export async function suspectsIn(
  served: readonly ServedService[],
  faultOf: (served: readonly ServedService[]) => Promise<string | undefined>,
  clock: Clock,
  searchMs: number,
): Promise<Suspects> {
  if ((await faultOf(served.map(({ service }) => ({ service, backends: [] })))) !== undefined) {
    return { culprits: [], complete: true };
  }
  const untilMs = clock.now() + searchMs;
  const members = served.flatMap(({ backends }) => backends);
  return await findCulprits(
    members,
    (some) => {
      const kept = new Set(some);
      return faultOf(
        served.map(({ service, backends }) => ({
          service,
          backends: backends.filter((one) => kept.has(one)),
        })),
      );
    },
    () => clock.now() < untilMs,
  );
}
