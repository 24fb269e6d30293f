/**
 * What an operator should know of a stop: that the backend is the last of its prefix, so that nginx has
 * nobody else to send to; or that another key has its address, so that nginx goes on sending to it. A
 * watchdog that is told to stop goes all the same, but not without a word.
 */
import { parseBackend, splitKey } from '../../registry/backend.ts';
import type { OwnBackend } from './draining.ts';
import type { Notices } from '../../lib/log.ts';
import type { LeaseStore } from '../../registry/store.ts';

/** So many keys are looked at; that none of them is a backend, and a later one is, is not foreseen. */
const mostLookedAt = 64;

/** Never throws: an etcd that does not answer is told by others. */
export async function warnOfOthers(
  { key, address }: OwnBackend,
  store: Pick<LeaseStore, 'readMoment'>,
  notices: Notices,
  signal: AbortSignal,
): Promise<void> {
  const { prefix } = splitKey(key);
  const moment = await store.readMoment([], prefix, mostLookedAt, signal).catch(() => undefined);
  if (!moment) return;
  const others = moment.below
    .filter((other) => other.key !== key)
    .map((other) => parseBackend(prefix, other.key, other.value, other.valueBytes))
    .flatMap((parsed) => (parsed.ok ? [parsed.value] : []));
  const twin = others.find((other) => other.address === address);
  if (twin) {
    const text = 'another key has the same address: nginx goes on to send to it';
    notices.tell('same backend', 'warn', text, { key: twin.key, address });
  } else if (others.length === 0) {
    notices.tell('last', 'warn', 'this is the last backend: without it nginx answers 503', { key });
  }
}
