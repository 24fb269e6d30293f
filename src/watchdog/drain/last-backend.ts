/**
 * Whether a key is the only backend that is left of its prefix: without it nginx has nobody to send
 * to. A watchdog that is told to stop goes all the same, but not without a word.
 */
import { parseBackend } from '../../registry/backend.ts';
import type { Notices } from '../../lib/log.ts';
import type { LeaseStore } from '../../registry/store.ts';

/** So many keys are looked at; that none of them is a backend, and a later one is, is not foreseen. */
const mostLookedAt = 64;

/** @throws as the store does. */
async function isLastBackend(
  key: string,
  store: Pick<LeaseStore, 'readMoment'>,
  signal: AbortSignal,
): Promise<boolean> {
  const prefix = key.slice(0, key.lastIndexOf('/'));
  const { below } = await store.readMoment([], prefix, mostLookedAt, signal);
  return !below.some(
    (other) =>
      other.key !== key && parseBackend(prefix, other.key, other.value, other.valueBytes).ok,
  );
}

/** Never throws: an etcd that does not answer is told by others. */
export async function warnIfLast(
  key: string,
  store: Pick<LeaseStore, 'readMoment'>,
  notices: Notices,
  signal: AbortSignal,
): Promise<void> {
  const isLast = await isLastBackend(key, store, signal).catch(() => false);
  if (!isLast) return;
  notices.tell('last', 'warn', 'this is the last backend: without it nginx answers 503', { key });
}
