/**
 * Writes an order to drain, or takes one back. What was decided on one look is written only if that
 * still holds; else it is looked at anew. A write whose answer was lost is told by what is there.
 */
import type { LeaseStore } from '../registry/store.ts';
import { type DrainAsked, type DrainPlan, planDrain } from './drain-plan.ts';
import { type Look, lookAt, type Places } from './look.ts';
import { type Scene, sceneOf } from './scene.ts';
import { planUndrain, type UndrainPlan } from './undrain-plan.ts';

type Store = Pick<LeaseStore, 'readMoment' | 'readKeys' | 'change'>;

const mostTries = 5;

const busy = (key: string) =>
  new Error(`${key}: others change it all the time, and nothing was changed: try again`);

export interface Ordered {
  readonly plan: DrainPlan;
  readonly scene: Scene;
  /** At which it was written. */
  readonly revision: number | undefined;
}

/** @throws Error when it is not known whether it was written, too. */
export async function orderDrain(
  store: Store,
  at: { readonly places: Places; readonly recordPrefix: string },
  asked: DrainAsked,
  signal: AbortSignal,
): Promise<Ordered> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const scene = await sceneOf(store, at, signal);
    const plan = planDrain(at.places, scene, asked);
    if (plan.kind !== 'write') return { plan, scene, revision: undefined };
    const revision = await written(store, at.places.orderKey, plan, signal);
    if (revision !== undefined) return { plan, scene, revision };
  }
  throw busy(at.places.key);
}

/** The same order, to the millisecond and its author, is ours: the write took effect. */
async function written(
  store: Store,
  orderKey: string,
  { guards, writes, order }: Extract<DrainPlan, { readonly kind: 'write' }>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const isOurs = async () => {
    const [found] = await store.readKeys([orderKey], signal);
    return found?.value === order ? found.modRevision : undefined;
  };
  try {
    return (await store.change(guards, writes, signal)) ?? (await isOurs());
  } catch (error) {
    const revision = await isOurs().catch(() => undefined);
    if (revision === undefined) throw error;
    return revision;
  }
}

export interface TakenBack {
  readonly plan: UndrainPlan;
  readonly look: Look;
}

export async function takeBackDrain(
  store: Store,
  places: Places,
  signal: AbortSignal,
): Promise<TakenBack> {
  let taken: UndrainPlan | undefined;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const look = await lookAt(store, places, signal);
    const plan = planUndrain(places, look);
    // Gone after a try of ours: by that try, or by somebody's at the same time.
    if (plan.kind === 'not drained') return { plan: taken ?? plan, look };
    if ((await store.change(plan.guards, plan.writes, signal)) !== undefined) return { plan, look };
    taken = plan;
  }
  throw busy(places.key);
}
