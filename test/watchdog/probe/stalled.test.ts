/** This process does not get to run for a while: what the backend answered meanwhile still counts. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { httpTarget, open } from './probing.ts';

/** A server that goes on while this thread does not. */
const server = `
  const { createServer } = require('node:http');
  const { parentPort, workerData } = require('node:worker_threads');
  const listening = createServer((request, response) => {
    setTimeout(() => response.end('well'), workerData.afterMs);
  }).listen(0, '127.0.0.1', () => parentPort.postMessage(listening.address().port));
`;

async function serving(afterMs: number) {
  const worker = new Worker(server, { eval: true, workerData: { afterMs } });
  const [port] = (await once(worker, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => void (await worker.terminate()),
  };
}

/** As SIGSTOP does, or a machine that is short of time. */
function standStill(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

test('an answer that came in time is a pass, although it is read too late', async () => {
  await using apache = await serving(100);
  using probing = open(httpTarget(apache.url, { timeoutMs: 300 }));
  const result = probing.probe();
  // The request is on its way before the stall.
  await new Promise((resolve) => setTimeout(resolve, 50));
  standStill(800);
  expect(await result).toMatchObject({ passed: true });
});

test('without an answer a stall makes no pass', async () => {
  await using apache = await serving(60_000);
  using probing = open(httpTarget(apache.url, { timeoutMs: 300 }));
  const result = probing.probe();
  await new Promise((resolve) => setTimeout(resolve, 50));
  standStill(800);
  expect(await result).toMatchObject({ passed: false, kind: 'timeout' });
});
