/** Reads some keys and what every live balancer of a prefix acknowledges, in one look; all of them or none. */
import { acknowledgementsIn } from './acknowledgement.ts';
import type { LeaseStore, Moment } from './store.ts';

/** More of them than anybody runs: they would not all be seen, so nothing could be confirmed by all. */
const mostBalancers = 1000;

/**
 * @param acknowledgements below it they lie; without its closing slash.
 * @throws as the store does, and where there are more than can be read.
 */
export async function readWithBalancers(
  store: Pick<LeaseStore, 'readMoment'>,
  keys: readonly string[],
  acknowledgements: string,
  signal: AbortSignal,
): Promise<Moment> {
  const limit = mostBalancers + 1;
  const moment = await store.readMoment(keys, acknowledgements, limit, signal);
  if (moment.below.length === limit) {
    throw new Error(
      `more than ${mostBalancers} keys below ${acknowledgements}/: of ${mostBalancers} balancers at most it can be said who is missing`,
    );
  }
  return { ...moment, below: acknowledgementsIn(acknowledgements, moment.below) };
}
