/** What is written to take an order to drain back. Pure; guarded by the order and the key as they were seen. */
import { type DrainOrder, readDrainOrder } from '../registry/drain-order.ts';
import type { Guard, Write } from '../registry/store.ts';
import type { Look, Places } from './look.ts';

export type UndrainPlan =
  | { readonly kind: 'not drained' }
  | {
      readonly kind: 'write';
      readonly order: DrainOrder;
      readonly key: KeyAfter;
      readonly guards: readonly Guard[];
      readonly writes: readonly Write[];
    };

/** `put back`: as it was put by hand; `there`: somebody put it already; `up to its watchdog`. */
export type KeyAfter = 'put back' | 'there' | 'up to its watchdog';

export function planUndrain(
  { key, orderKey }: Pick<Places, 'key' | 'orderKey'>,
  { key: stored, order: storedOrder }: Pick<Look, 'key' | 'order'>,
): UndrainPlan {
  if (!storedOrder) return { kind: 'not drained' };
  const order = readDrainOrder(storedOrder.value);
  const value = stored ? null : order.value;
  const writes: Write[] = [{ kind: 'delete', key: orderKey }];
  if (value !== null) writes.push({ kind: 'put', key, value, leaseId: '0' });
  return {
    ...{ kind: 'write', order, writes },
    key: stored ? 'there' : value === null ? 'up to its watchdog' : 'put back',
    guards: [
      { key: orderKey, modRevision: storedOrder.modRevision },
      { key, modRevision: stored?.modRevision ?? 0 },
    ],
  };
}
