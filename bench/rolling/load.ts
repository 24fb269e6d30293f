/** The load, as those see it who restart something under it. It ends with its scope. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Message } from './client.ts';
import { type Count, type Failed, noCount } from './kinds.ts';

export interface Loaded {
  readonly counts: Readonly<Record<string, Count>>;
  readonly total: Count;
  readonly failed: readonly Failed[];
  readonly slowMs: readonly number[];
}

export interface Load extends AsyncDisposable {
  /** Answered or failed so far. */
  requests(): number;
  /** Asks for nothing more, and waits for the answers to what was asked. */
  end(): Promise<Loaded>;
}

/** @param onFailed hears of each at once: what is going on just then may be the cause. */
export async function startLoad(
  urls: readonly string[],
  onFailed: (failed: Failed) => void,
): Promise<Load> {
  const worker = new Worker(new URL('client.ts', import.meta.url), { workerData: { urls } });
  const failed: Failed[] = [];
  let counts: Readonly<Record<string, Count>> = {};
  const { promise: ended, resolve, reject } = Promise.withResolvers<readonly number[]>();
  // A worker that fails before anybody waits for its end is no unhandled rejection.
  ended.catch(() => {});
  worker.on('message', (message: Message) => {
    if ('failed' in message) {
      failed.push(message.failed);
      onFailed(message.failed);
      return;
    }
    counts = message.counts;
    if (message.ended) resolve(message.slowMs);
  });
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error('the client has ended')));
  await once(worker, 'online');
  return {
    requests: () => sumOf(counts).requests,
    async end() {
      worker.postMessage('end', []);
      const slowMs = await ended;
      return { counts, total: sumOf(counts), failed, slowMs };
    },
    [Symbol.asyncDispose]: async () => void (await worker.terminate()),
  };
}

function sumOf(counts: Readonly<Record<string, Count>>): Count {
  const sum = noCount();
  for (const count of Object.values(counts)) {
    sum.requests += count.requests;
    sum.failed += count.failed;
    sum.askedAgain += count.askedAgain;
    sum.passedOn += count.passedOn;
  }
  return sum;
}
