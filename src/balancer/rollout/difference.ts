/**
 * How what nginx was last brought to differs from what it should have. Pure. A removal is more
 * urgent than an addition: requests go to a backend that is no longer wanted.
 */
import type { Backend } from '../../registry/backend.ts';
import { byKey, sameBackend } from '../pool/pool.ts';
import type { ServedService } from '../render/render.ts';

export type Difference =
  | 'none'
  /** Nobody goes: there are new backends, or other weights. */
  | 'gained'
  /** An address goes, and its key has another one now. */
  | 'moved'
  /** An address goes, and its key with it. */
  | 'lost';

const urgency: Readonly<Record<Difference, number>> = { none: 0, gained: 1, moved: 2, lost: 3 };

/** Both by service in the same order; of one service, by key. The most urgent of all differences. */
export function differenceOf(
  before: readonly ServedService[],
  after: readonly ServedService[],
): Difference {
  let most: Difference = 'none';
  for (const [n, { backends }] of after.entries()) {
    const found = betweenPools(before[n]?.backends ?? [], backends);
    if (urgency[found] > urgency[most]) most = found;
  }
  return most;
}

function betweenPools(before: readonly Backend[], after: readonly Backend[]): Difference {
  if (before === after) return 'none';
  let most: Difference = 'none';
  const gone: Backend[] = [];
  let n = 0;
  for (const old of before) {
    while (n < after.length && byKeyOf(after[n], old) < 0) {
      most = 'gained';
      n += 1;
    }
    const now = after[n];
    if (now?.key !== old.key) gone.push(old);
    else {
      if (now.address !== old.address) gone.push(old);
      else if (!sameBackend(now, old)) most = 'gained';
      n += 1;
    }
  }
  if (n < after.length) most = 'gained';
  if (gone.length === 0) return most;
  // What went may be there under another key: then nobody goes. The few are looked for among the
  // many, so that no index of the many is made.
  const addresses = new Set(gone.map(({ address }) => address));
  const keys = new Set(gone.map(({ key }) => key));
  const there = after.filter(({ key, address }) => addresses.has(address) || keys.has(key));
  const addressesThere = new Set(there.map(({ address }) => address));
  const really = gone.filter(({ address }) => !addressesThere.has(address));
  if (really.length === 0) return 'gained';
  const keysThere = new Set(there.map(({ key }) => key));
  return really.every(({ key }) => keysThere.has(key)) ? 'moved' : 'lost';
}

const byKeyOf = (a: Backend | undefined, b: Backend) =>
  a === undefined || a.key === b.key ? 0 : byKey(a, b);
