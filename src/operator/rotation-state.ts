/**
 * Is a backend in rotation? Pure: one look in which the key is there and every live balancer has
 * confirmed the revision at which it was written.
 */
import { parseBackend } from '../registry/backend.ts';
import { type Confirmations, confirmationsIn } from '../registry/confirmation.ts';
import { type DrainOrder, readDrainOrder } from '../registry/drain-order.ts';
import type { WatchdogRecord } from '../registry/record.ts';
import { type Look, type Places, unreadIn, watchdogIn } from './look.ts';

export type RotationState =
  /** It cannot come by itself. */
  | { readonly kind: 'drained'; readonly order: DrainOrder; readonly keyThere: boolean }
  | {
      readonly kind: 'absent';
      readonly watchdog: WatchdogRecord | undefined;
      /** Why its record cannot be read. */
      readonly unread: string | undefined;
    }
  | { readonly kind: 'no backend'; readonly reason: string }
  | { readonly kind: 'confirming'; readonly by: Confirmations }
  | { readonly kind: 'over'; readonly by: Confirmations };

export interface RotationAwaited {
  readonly places: Pick<Places, 'prefix' | 'name'>;
  /** At least so many balancers. */
  readonly balancers: number;
}

export function judgeRotation(
  { key, record, order, clusterId, acknowledgements: below }: Look,
  { places: { prefix, name }, balancers }: RotationAwaited,
): RotationState {
  // A key under a lease is about to go; one by hand stays for all that the order says.
  if (order && key?.leaseId !== '0') {
    return { kind: 'drained', order: readDrainOrder(order.value), keyThere: key !== undefined };
  }
  if (!key) return { kind: 'absent', watchdog: watchdogIn(record), unread: unreadIn(record) };
  const parsed = parseBackend(prefix, key.key, key.value, key.valueBytes);
  if (!parsed.ok) return { kind: 'no backend', reason: parsed.reason };
  const awaited = { kind: 'served', revision: key.modRevision, name } as const;
  const by = confirmationsIn({ clusterId, below }, awaited, balancers);
  return { kind: by.missing.length === 0 ? 'over' : 'confirming', by };
}
