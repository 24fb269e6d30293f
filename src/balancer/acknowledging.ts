/**
 * From turns to acknowledgements in etcd: what may be said after each turn is handed to the
 * acknowledger, and what becomes of it is told.
 */
import type { Clock } from '../lib/clock.ts';
import type { Notices } from '../lib/log.ts';
import { acknowledgementKey } from '../registry/acknowledgement.ts';
import { Acknowledger, type AcknowledgerDeps, type AcknowledgerEvent } from './acknowledger.ts';
import type { Turn } from './balancer.ts';
import { foldSaid, nothingSaid, type Said, type Speaker, textsOf } from './said.ts';
import type { Service } from '../options/service.ts';

export interface AcknowledgingDeps extends Omit<AcknowledgerDeps, 'onEvent'> {
  readonly services: readonly Service[];
  readonly recordPrefix: string;
  readonly speaker: () => Speaker;
  readonly notices: Notices;
  readonly onEvent: (event: AcknowledgerEvent) => void;
}

export interface Acknowledging {
  readonly onTurn: (turn: Turn) => Said;
  run(signal: AbortSignal): Promise<void>;
}

export function acknowledging(deps: AcknowledgingDeps): Acknowledging {
  const { services, recordPrefix, speaker, notices, onEvent } = deps;
  const clock: Clock = deps.clock;
  let said = nothingSaid;
  let last: Turn | undefined;
  let lostAtMs = Number.NEGATIVE_INFINITY;

  const onTurn = (turn: Turn): Said => {
    last = turn;
    said = foldSaid(said, turn, lostAtMs);
    const by = speaker();
    const texts = textsOf(
      said,
      services.map(({ name }) => name),
      by,
    );
    const keys = services.map(({ prefix }) =>
      acknowledgementKey(recordPrefix, prefix, by.instance),
    );
    acknowledger.say(new Map(keys.map((key, n) => [key, texts[n] ?? ''])));
    return said;
  };
  const acknowledger = new Acknowledger({
    ...deps,
    onEvent: (event) => {
      onEvent(event);
      switch (event.kind) {
        case 'lost':
          // Before etcd is told anything again: what was said may be of another store.
          lostAtMs = clock.now();
          if (last) onTurn(last);
          break;
        case 'failed':
          notices.tell('acknowledgement', 'warn', 'what is confirmed could not be acknowledged', {
            reason: event.reason,
          });
          break;
        case 'agrees':
          notices.clear('acknowledgement', 'what is confirmed is acknowledged again');
          break;
        case 'repaired':
          notices.news('warn', 'an acknowledgement was gone or changed, and is written again');
          break;
        case 'written':
          break;
        default:
          event satisfies never;
      }
    },
  });
  return { onTurn, run: (signal) => acknowledger.run(signal) };
}
