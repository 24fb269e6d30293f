/**
 * Takes a key out of etcd, and says why in the record beside it, at one revision. The record is
 * worth waiting for, but not for long: whether or not it can be written, the key goes, alone if
 * need be. The caller revokes the lease beside that, which etcd refuses to a user who may not write
 * the record that lies there.
 */
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import type { Guard, LeaseStore } from '../../registry/store.ts';
import type { Presence } from './presence.ts';
import { etcdCallBudgetMs } from '../timing.ts';

/** The record may take half of the time: the rest is for removing the key without it. */
const recordBudgetMs = etcdCallBudgetMs / 2;

export interface Removal {
  readonly key: string;
  readonly recordKey: string;
  readonly record: string;
  /** By what the key is known as ours. */
  readonly guards: readonly Guard[];
}

/** The revision at which the key went, by this; `not there`: it was not there, or not ours. */
export type Went = number | 'not there';

/** @throws when the record cannot be written. */
export async function removeAndTell(
  { key, recordKey, record, guards }: Removal,
  store: LeaseStore,
  presence: Presence,
  clock: Clock,
  signal: AbortSignal,
): Promise<Went> {
  const revision = await withDeadline(
    { what: 'telling why the key goes', timeoutMs: recordBudgetMs, clock },
    async (within) => {
      const { leaseId } = await presence.lease(within);
      return await store.change(
        guards,
        [
          { kind: 'delete', key },
          { kind: 'put', key: recordKey, value: record, leaseId },
        ],
        within,
      );
    },
    signal,
  );
  return revision ?? 'not there';
}

export async function removeAlone(
  { key, guards }: Removal,
  store: LeaseStore,
  signal: AbortSignal,
): Promise<Went> {
  return (await store.change(guards, [{ kind: 'delete', key }], signal)) ?? 'not there';
}
