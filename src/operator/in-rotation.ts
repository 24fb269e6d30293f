/** Waits until a backend is in rotation, for the commands that do. */
import type { OptionValues } from '../options/option.ts';
import type { operatorOptions } from '../options/wait-options.ts';
import { type Desk, waitAtDesk } from './desk.ts';
import type { Places } from './look.ts';
import { judgeRotation } from './rotation-state.ts';
import { confirmedWords, rotationPendingWords } from './words.ts';

/** @returns the exit status. */
export async function waitInRotation(
  desk: Desk,
  places: Places,
  { timeout, balancers }: Pick<OptionValues<typeof operatorOptions>, 'timeout' | 'balancers'>,
): Promise<number> {
  const { key } = places;
  return await waitAtDesk(desk, {
    places,
    timeoutMs: timeout,
    otherwise: 'it is not in rotation for certain',
    judge: (look) => {
      const state = judgeRotation(look, { places, balancers });
      return state.kind === 'over'
        ? { kind: 'done', words: `${key} is in rotation: ${confirmedWords(state.by)}` }
        : { kind: 'pending', lines: rotationPendingWords(key, state) };
    },
  });
}
