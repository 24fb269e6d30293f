/**
 * Takes a key out of etcd on a verdict, and says why in the record beside it, at one revision.
 * The record is worth waiting for, but not for long: whether or not it can be written, the key
 * goes, alone if need be. The caller revokes the lease beside that, which etcd refuses to a user
 * who may not write the record that lies there.
 */
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import type { LeaseStore } from '../../registry/store.ts';
import type { Presence } from './presence.ts';
import { etcdCallBudgetMs } from '../timing.ts';

/** The record may take half of the time: the rest is for removing the key without it. */
const recordBudgetMs = etcdCallBudgetMs / 2;

export interface Removal {
  readonly key: string;
  readonly keyLeaseId: string;
  readonly recordKey: string;
  readonly record: string;
}

/** @returns the revision at which it went; undefined: the record could not be written. */
export async function removeAndTell(
  { key, keyLeaseId, recordKey, record }: Removal,
  store: LeaseStore,
  presence: Presence,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | 'not there' | undefined> {
  try {
    return await withDeadline(
      { what: 'telling why the key goes', timeoutMs: recordBudgetMs, clock },
      async (within) => {
        const { leaseId } = await presence.lease(within);
        const revision = await store.change(
          [{ key, leaseId: keyLeaseId }],
          [
            { kind: 'delete', key },
            { kind: 'put', key: recordKey, value: record, leaseId },
          ],
          within,
        );
        return revision ?? 'not there';
      },
      signal,
    );
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

export const removeAlone = (
  { key, keyLeaseId }: Removal,
  store: LeaseStore,
  signal: AbortSignal,
): Promise<unknown> =>
  store.change([{ key, leaseId: keyLeaseId }], [{ kind: 'delete', key }], signal);
