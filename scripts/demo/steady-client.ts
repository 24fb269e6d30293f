/**
 * A client that asks nginx at a steady rate, each request on a connection of its own and with a
 * deadline, and remembers of each when it began, how it ended and which backend answered.
 */
import { messageOf } from '../../src/lib/errors.ts';
import { httpGet } from '../parts/http-get.ts';
import { waitUntil } from '../parts/wait-until.ts';

const PER_SECOND = 50;
const DEADLINE_MS = 2000;

export interface Sent {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Undefined when all went well. */
  readonly failure: string | undefined;
  /** The backend that answered, the last one that nginx tried. */
  readonly answeredBy: string | undefined;
}

export interface SteadyClient extends Disposable {
  readonly perSecond: number;
  /** All that has ended so far. */
  readonly sent: readonly Sent[];
  /** The requests that began in between, once each of them has ended. */
  startedBetween(from: number, to: number): Promise<readonly Sent[]>;
}

/** A moment on the clock of `Sent`. */
export const now = (): number => performance.now();

export function startSteadyClient(url: string): SteadyClient {
  const sent: Sent[] = [];
  const underWay = new Set<number>();

  async function ask(): Promise<void> {
    const startedAt = now();
    underWay.add(startedAt);
    const outcome = await httpGet(url, DEADLINE_MS).then(
      ({ status, headers }) => ({
        failure: status < 400 ? undefined : `status ${status}`,
        answeredBy: lastOf(headers['x-handler']),
      }),
      (error: unknown) => ({ failure: messageOf(error), answeredBy: undefined }),
    );
    underWay.delete(startedAt);
    sent.push({ startedAt, endedAt: now(), ...outcome });
  }

  const timer = setInterval(() => void ask(), 1000 / PER_SECOND);
  return {
    perSecond: PER_SECOND,
    sent,
    async startedBetween(from, to) {
      const ended = { expected: 'each request answered or given up', withinMs: 2 * DEADLINE_MS };
      await waitUntil(ended, () => {
        const open = [...underWay].filter((startedAt) => startedAt < to).length;
        return open === 0 || `${open} open`;
      });
      return sent.filter(({ startedAt }) => startedAt >= from && startedAt < to);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** nginx lists every backend it tried: "127.0.0.1:8001, 127.0.0.1:8002". */
function lastOf(handler: string | readonly string[] | undefined): string | undefined {
  return (
    String(handler ?? '')
      .split(/[\s,]+/)
      .at(-1) || undefined
  );
}
