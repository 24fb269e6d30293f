/**
 * Why is a key gone? Pure: for a reason that its watchdog has seen, or on purpose. The watchdog writes
 * its record in the transaction that deletes the key, so a record proves a loss only if it is newer
 * than the last look at which the key was there. An order to drain is different: it says nothing of
 * the past, but while it stands nobody is to hold the key, however long it has stood.
 */
import { verdictOn } from '../../registry/record.ts';
import type { StoredKey } from '../../registry/store.ts';

export type Explanation = 'proven down' | 'drained' | 'ordered out';

export interface Explainers {
  /** The record beside a key. */
  readonly recordOf: (key: string) => StoredKey | undefined;
  /** Does an order to drain it stand? */
  readonly isOrderedOut: (key: string) => boolean;
}

/** @param provenAfter a record that is not newer tells of an earlier time. */
export function explanationOf(
  key: string,
  provenAfter: number,
  { recordOf, isOrderedOut }: Explainers,
): Explanation | undefined {
  if (isOrderedOut(key)) return 'ordered out';
  const record = recordOf(key);
  if (!record || record.modRevision <= provenAfter) return undefined;
  const verdict = verdictOn(undefined, record);
  return verdict === 'proven down' || verdict === 'drained' ? verdict : undefined;
}
