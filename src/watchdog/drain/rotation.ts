/**
 * Is the key in rotation: has every live balancer confirmed that its nginx serves it? Pure. It is
 * concluded once for each writing of the key, from one look, and then stands: a balancer that
 * restarts says nothing for a while about an nginx that serves on, and must not make every watchdog
 * unready at the same time.
 */
import { confirmationsIn, type Missing } from '../../registry/confirmation.ts';
import type { Moment } from '../../registry/store.ts';
import type { Standing } from '../registration/sight.ts';

export interface Rotation {
  /** Of the key, as it was written when all had confirmed it. */
  readonly confirmedRevision: number | undefined;
  /** Who had; nobody where no balancer is known. */
  readonly servedBy: readonly string[];
  /** Who has not; empty where nothing is waited for. */
  readonly missing: readonly Missing[];
}

export const outOfRotation: Rotation = {
  ...{ confirmedRevision: undefined, servedBy: [], missing: [] },
};

export interface RotationRules {
  readonly name: string;
  /** With fewer alive, nothing counts as confirmed. */
  readonly balancers: number;
}

export const isInRotation = ({ confirmedRevision }: Rotation, standing: Standing): boolean =>
  standing.kind === 'held' && standing.revision === confirmedRevision;

export function foldRotation(
  before: Rotation,
  standing: Standing,
  look: Moment | undefined,
  { name, balancers }: RotationRules,
): Rotation {
  if (standing.kind !== 'held') return outOfRotation;
  if (isInRotation(before, standing)) return before;
  const { revision } = standing;
  if (!look || look.keys[0]?.modRevision !== revision) return { ...before, missing: [] };
  const { confirmed, missing } = confirmationsIn(
    look,
    { kind: 'served', revision, name },
    balancers,
  );
  if (missing.length > 0) return { ...before, missing };
  return { confirmedRevision: revision, servedBy: confirmed, missing: [] };
}
