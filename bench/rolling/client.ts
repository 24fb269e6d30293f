/**
 * The load of the rolling restart, as a thread of its own: what the bench waits for must not delay
 * what the client reads. It asks all fronts in turn until it is told to end, tells each failed
 * request at once, and how many there were every so often and at its end.
 */
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { ask } from './ask.ts';
import { add, type Count, type Failed, type Kind, kinds, noCount, postBody } from './kinds.ts';

export interface Told {
  readonly counts: Readonly<Record<string, Count>>;
  /** Of all that took two seconds. */
  readonly slowMs: readonly number[];
  readonly ended: boolean;
}

export type Message = Told | { readonly failed: Failed };

const everyMs = 100;

const { urls } = workerData as { urls: readonly string[] };
const counts: Record<string, Count> = {};
const slowMs: number[] = [];
let posted = 0;
const ending = new AbortController();

parentPort?.once('message', () => ending.abort());
const timer = setInterval(() => post({ counts, slowMs: [], ended: false }), everyMs);
await Promise.all(
  kinds.flatMap((kind) => Array.from({ length: kind.workers }, (_, n) => work(kind, n))),
);
clearInterval(timer);
post({ counts, slowMs, ended: true });

async function work(kind: Kind, worker: number): Promise<void> {
  const count = (counts[kind.name] ??= noCount());
  // One for each front: its one connection waits there while the other is asked.
  const agents = urls.map(() =>
    kind.kept ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined,
  );
  for (let turn = worker; !ending.signal.aborted; turn += 1) {
    const front = turn % urls.length;
    const url = urls[front] ?? '';
    const body = kind.method === 'POST' ? postBody((posted += 1)) : '';
    const outcome = await ask(kind, url, body, agents[front]);
    add(count, outcome);
    if (kind.path === 'slow' && outcome.failure === undefined) slowMs.push(outcome.tookMs);
    if (outcome.failure !== undefined) {
      const endedAt = new Date().toISOString();
      post({ failed: { kind: kind.name, url, endedAt, outcome } });
    }
    await sleep(kind.pauseMs);
  }
  for (const agent of agents) agent?.destroy();
}

function post(message: Message): void {
  parentPort?.postMessage(message, []);
}
