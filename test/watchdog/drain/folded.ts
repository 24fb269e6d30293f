/** Drains folded from what is seen, one step after the other. */
import {
  beginDrain,
  type Drain,
  type DrainCause,
  type DrainRules,
  foldDrain,
  type Seen,
} from '../../../src/watchdog/drain/drain.ts';
import { acknowledged, momentOf, saying } from '../../support/acknowledged.ts';

export const rules: DrainRules = {
  ...{ timeoutMs: 30_000, graceMs: 2000, lingerMs: 500, balancers: 0, until: 'confirmed' },
};
export const since = new Date(0);
const gone = { kind: 'gone', revision: 20 } as const;
export const all = momentOf([acknowledged(saying('lb1', 20)), acknowledged(saying('lb2', 25))]);
export const some = momentOf([acknowledged(saying('lb1', 20)), acknowledged(saying('lb2', 19))]);
export const nobody = momentOf([]);
export const quiet: Seen = {
  ...{ nowMs: 0, standing: gone, neverWrote: false, look: undefined, trouble: undefined },
  ...{ keyIs: 'absent', leaseLostAtMs: Number.NEGATIVE_INFINITY },
};

/** Folded one after the other, a hundred milliseconds apart. */
export const after = (by: DrainCause, ...seen: readonly Partial<Seen>[]) =>
  seen.reduce<Drain>(
    (drain, one, n) => foldDrain(drain, { ...quiet, nowMs: (n + 1) * 100, ...one }, rules),
    beginDrain(by, since, 0),
  );

export const inWords = ({ stage }: Drain) =>
  stage.kind === 'over' ? `over: ${stage.end}` : stage.kind;
