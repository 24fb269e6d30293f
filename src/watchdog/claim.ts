/**
 * Whose key is it? Pure. A key is ours to write when nobody's lease keeps it; while
 * another lease does, its watchdog is alive, and the key is its own. One exception:
 * at the start, the same value under another lease is what our predecessor, killed a
 * moment ago, left behind. It is taken over at once, so that restarting a watchdog
 * never takes a healthy backend out of the pool.
 */
import type { StoredKey } from '../registry/store.ts';

export type Claim =
  | { readonly kind: 'held' }
  | { readonly kind: 'write'; readonly because: 'absent' | 'overwritten' | 'left behind' }
  | { readonly kind: 'taken'; readonly by: StoredKey };

export interface Claimant {
  readonly value: string;
  readonly leaseId: string;
  /** This process has held the key before. */
  readonly hasHeld: boolean;
}

export function claim(found: StoredKey | undefined, { value, leaseId, hasHeld }: Claimant): Claim {
  if (!found) return { kind: 'write', because: 'absent' };
  const sameValue = found.value === value && found.valueBytes === Buffer.byteLength(value);
  if (found.leaseId === leaseId) {
    return sameValue ? { kind: 'held' } : { kind: 'write', because: 'overwritten' };
  }
  // Put by hand, or by an article-style unit: no lease keeps it.
  if (found.leaseId === '0') return { kind: 'write', because: 'overwritten' };
  if (sameValue && !hasHeld) return { kind: 'write', because: 'left behind' };
  return { kind: 'taken', by: found };
}
