/** Waits for the end of a drain, from what is known of it on. */
import type { DrainUntil } from '../registry/confirmation.ts';
import { type DrainMemory, judgeDrain } from './drain-state.ts';
import type { Look, Places } from './look.ts';
import type { Step } from './waiting.ts';
import { confirmedWords, drainPendingWords } from './words.ts';

export interface DrainedAsked {
  readonly places: Places;
  readonly until: DrainUntil;
  readonly balancers: number;
  readonly say: (line: string) => void;
}

/** What to do on each look, one after the other. */
export function untilDrained(
  start: DrainMemory,
  { places, until, balancers, say }: DrainedAsked,
): (look: Look) => Step {
  const { key } = places;
  let memory = start;
  return (look) => {
    const judged = judgeDrain(memory, look, { places, until, balancers });
    memory = judged.memory;
    if (judged.restored) say('etcd was restored, or is another one: all is looked at anew');
    const { state } = judged;
    switch (state.kind) {
      case 'no order':
        return {
          kind: 'failed',
          words: `${key}: the order is gone: etcd was restored, or it was taken back`,
        };
      case 'to ask':
        return {
          ...{ kind: 'write', guards: state.guards, writes: state.writes },
          onWritten: (revision) => {
            memory = { ...memory, absentAt: revision };
          },
        };
      case 'key there':
      case 'confirming':
        return { kind: 'pending', lines: drainPendingWords(key, state) };
      case 'over': {
        const ended = until === 'finished' && state.by.confirmed.length > 0;
        const finished = ended ? ', and what was begun before has ended' : '';
        return {
          kind: 'done',
          words: `${key} is drained: ${confirmedWords(state.by)}${finished}`,
        };
      }
      default:
        return state satisfies never;
    }
  };
}
