/**
 * What is written to drain a backend. Pure. Each write is guarded by what it was decided on: the
 * key as it was seen, and the one that would be left, so that two drains at the same time cannot
 * take the last two.
 */
import { type DrainOrder, formatDrainOrder, readDrainOrder } from '../registry/drain-order.ts';
import type { Guard, Write } from '../registry/store.ts';
import { nearestTo } from './nearest.ts';
import type { Places } from './look.ts';
import type { Scene } from './scene.ts';

export type DrainPlan =
  | { readonly kind: 'already'; readonly order: DrainOrder }
  /** Neither key nor record nor order is there. */
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] }
  /** Without it nginx would have no backend left. */
  | { readonly kind: 'last'; readonly drained: number }
  /** What the key holds could not be put back as it is. */
  | { readonly kind: 'irreplaceable'; readonly valueBytes: number }
  | {
      readonly kind: 'write';
      /** The value of the order, by which it is told from another's. */
      readonly order: string;
      /** The key goes with the order: it has no lease, so no watchdog would take it away. */
      readonly deletesKey: boolean;
      readonly guards: readonly Guard[];
      readonly writes: readonly Write[];
    };

export interface DrainAsked {
  readonly by: string;
  readonly at: string;
  readonly reason: string | null;
  readonly force: boolean;
}

const mostNamed = 5;

export function planDrain(
  places: Pick<Places, 'key' | 'orderKey'>,
  { key: stored, record, order, others, survivor }: Scene,
  { force, ...said }: DrainAsked,
): DrainPlan {
  const { key, orderKey } = places;
  if (order) return { kind: 'already', order: readDrainOrder(order.value) };
  if (!force && !stored && !record) {
    const there = others.map((one) => one.key);
    return { kind: 'unknown', nearest: nearestTo(key, there, mostNamed) };
  }
  if (!force && !survivor) return { kind: 'last', drained: others.length };
  const isByHand = stored?.leaseId === '0';
  const given = (value: string | null) => formatDrainOrder({ ...said, value });
  const comesBack = isByHand && isKept(given(stored.value), stored);
  if (isByHand && !comesBack && !force) {
    return { kind: 'irreplaceable', valueBytes: stored.valueBytes };
  }
  const value = given(comesBack ? stored.value : null);
  return {
    ...{ kind: 'write', order: value, deletesKey: isByHand },
    guards: [
      { key: orderKey, modRevision: 0 },
      { key, modRevision: stored?.modRevision ?? 0 },
      ...(survivor && !force ? guardsOf(survivor) : []),
    ],
    writes: [
      { kind: 'put', key: orderKey, value, leaseId: '0' },
      ...(isByHand ? [{ kind: 'delete', key } as const] : []),
    ],
  };
}

const guardsOf = ({ stored, orderKey }: NonNullable<Scene['survivor']>): readonly Guard[] => [
  { key: stored.key, modRevision: stored.modRevision },
  { key: orderKey, modRevision: 0 },
];

/** Is the value read back from the order to the byte? A long one is not, nor one that is no text. */
const isKept = (order: string, { value, valueBytes }: NonNullable<Scene['key']>) =>
  readDrainOrder(order).value === value && Buffer.byteLength(value) === valueBytes;
