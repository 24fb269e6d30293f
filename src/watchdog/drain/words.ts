/** A drain, and who is waited for, in words: for the log, the status and the supervisor. Pure. */
import type { Missing } from '../../registry/confirmation.ts';
import type { Drain } from './drain.ts';

export function stageInWords({ stage, stopAtMs, revision }: Drain): string {
  const whose = stopAtMs === undefined ? 'ordered by an operator' : 'stopping';
  switch (stage.kind) {
    case 'removing':
      return `${whose}, the key is not known to be gone yet`;
    case 'waiting':
      return `${whose}, the key went at revision ${revision}`;
    case 'alone':
      return `${whose}, no balancer is known`;
    case 'lingering':
      return `${whose}, confirmed`;
    case 'over':
      return `${whose}, over (${stage.end})`;
    default:
      return stage satisfies never;
  }
}

export const missingInWords = (missing: readonly Missing[]) =>
  missing.map(({ who, why }) => `${who}: ${why}`);
