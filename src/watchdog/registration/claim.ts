/**
 * Whose key is it? Pure. A key is ours to write when nobody's lease keeps it; while
 * another lease does, its watchdog is alive, and the key is its own. Two exceptions: a
 * lease of our own that etcd brought back from a snapshot, and one with our value that
 * nobody has renewed until its last second: its watchdog was killed, and whoever restarts
 * it should not take a healthy backend out of the pool.
 *
 * A lease that is alive and has lost its key tells that somebody changed the key by hand.
 */
import { printable } from '../../lib/printable.ts';
import { parseRecord, type WatchdogRecord } from '../../registry/record.ts';
import type { StoredKey } from '../../registry/store.ts';

/** What to do about a key that somebody changed by hand under our lease. */
export const byHandPolicies = ['restore', 'respect'] as const;
export type ByHandPolicy = (typeof byHandPolicies)[number];

export type Because =
  | 'absent'
  | 'made by hand'
  | 'deleted by hand'
  | 'overwritten by hand'
  | 'left behind'
  | 'our own';

export type Claim =
  | { readonly kind: 'held' }
  | { readonly kind: 'write'; readonly because: Because }
  | { readonly kind: 'respected'; readonly because: Because }
  /** With our value: it may have been left behind, and what its lease has left will tell. */
  | { readonly kind: 'taken'; readonly by: Holder; readonly sameValue: boolean };

/** Who holds a key: what etcd says, and what the record beside it says. */
export interface Holder {
  readonly value: string;
  readonly leaseId: string;
  /** Undefined: no record that can be read lies beside the key on its lease. */
  readonly record: WatchdogRecord | undefined;
}

export interface Claimant {
  readonly value: string;
  readonly instance: string;
  /** The lease, while there is one. */
  readonly leaseId: string | undefined;
  /** The key has been seen as ours under this very lease. */
  readonly hasHeld: boolean;
  readonly byHand: ByHandPolicy;
}

/** etcd tells whole seconds, rounded down: less than one is left, and nobody has renewed it. */
export const abandonedMs = 0;

export function claim(
  key: StoredKey | undefined,
  record: StoredKey | undefined,
  { value, instance, leaseId, hasHeld, byHand }: Claimant,
): Claim {
  const changed = (because: Because): Claim => ({
    kind: byHand === 'restore' ? 'write' : 'respected',
    because,
  });
  if (!key) return hasHeld ? changed('deleted by hand') : { kind: 'write', because: 'absent' };
  const sameValue = key.value === value && key.valueBytes === Buffer.byteLength(value);
  if (key.leaseId === leaseId) {
    return sameValue ? { kind: 'held' } : changed('overwritten by hand');
  }
  // Put by etcdctl, or by a unit of the old kind: no lease keeps it.
  if (key.leaseId === '0') {
    return hasHeld ? changed('overwritten by hand') : { kind: 'write', because: 'made by hand' };
  }
  const holder = holderOf(key, record);
  if (holder.record?.instance === instance) return { kind: 'write', because: 'our own' };
  return { kind: 'taken', by: holder, sameValue };
}

/** Under a lease of this very process, whether or not it knows of it. */
export function isOurOwn(
  { key, record }: { readonly key: StoredKey | undefined; readonly record: StoredKey | undefined },
  { instance }: Pick<Claimant, 'instance'>,
): boolean {
  return (
    key !== undefined && key.leaseId !== '0' && holderOf(key, record).record?.instance === instance
  );
}

const maxShownChars = 64;

function holderOf({ value, leaseId }: StoredKey, record: StoredKey | undefined): Holder {
  const parsed = record?.leaseId === leaseId ? parseRecord(record.value) : undefined;
  // The value is anybody's, and is going to be shown.
  const shown = printable(value, maxShownChars);
  return { value: shown, leaseId, record: parsed?.ok ? parsed.value : undefined };
}
