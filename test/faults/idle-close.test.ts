/**
 * Thousands of idle connections, closed by the other side in every way and at any moment after
 * the pass: no probe fails for it, each close is told at most once, and nothing is left behind.
 */
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { rawServer } from '../support/local-server.ts';
import { httpTarget, open, type Probing } from '../watchdog/probe/probing.ts';

const probers = 6;
const probesEach = 500;

const page = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const hangUps = ['end', 'destroy', 'resetAndDestroy'] as const;

const openFiles = () => readdirSync('/proc/self/fd').length;

/** What is in use, and not what waits to be collected. */
function heapMb(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

interface Counted {
  readonly failed: number;
  /** By the server: each third time never, else before, while or after the next probe begins. */
  readonly hungUp: number;
  /** Of these, waited for until they were told. */
  readonly awaited: number;
  readonly told: number;
}

interface Field {
  readonly probing: Probing;
  /** The server's end of the newest connection. */
  readonly newest: () => Socket | undefined;
}

async function makeField(stack: AsyncDisposableStack): Promise<Field> {
  let newest: Socket | undefined;
  const server = stack.use(
    await rawServer((socket) => {
      newest = socket;
      socket.on('data', () => socket.write(page));
    }),
  );
  const probing = stack.use(open(httpTarget(server.url, { keepIdle: true })));
  return { probing, newest: () => newest };
}

async function probeAway({ probing, newest }: Field, probes: number): Promise<Counted> {
  const toldBefore = probing.idleCloses;
  let [failed, hungUp, awaited] = [0, 0, 0];
  for (let n = 0; n < probes; n += 1) {
    if (!(await probing.probe()).passed) failed += 1;
    const told = probing.idleCloses;
    const socket = newest();
    const hangUp = () => socket?.[hangUps[Math.floor(n / 3) % hangUps.length] ?? 'end']();
    if (n % 3 > 0) {
      hungUp += 1;
      setTimeout(hangUp, n % 7);
    }
    if (n % 10 === 1 && n % 3 > 0) {
      awaited += 1;
      await waitUntil({ expected: 'an idle close', withinMs: 10_000, everyMs: 2 }, () => {
        return probing.idleCloses === told + 1 || 'none';
      });
    } else await sleep(n % 5);
  }
  return { failed, hungUp, awaited, told: probing.idleCloses - toldBefore };
}

async function round(fields: readonly Field[], probesOfEach: number): Promise<Counted> {
  const all = await Promise.all(fields.map((field) => probeAway(field, probesOfEach)));
  const sum = (of: keyof Counted) => all.reduce((total, one) => total + one[of], 0);
  return {
    ...{ failed: sum('failed'), hungUp: sum('hungUp') },
    ...{ awaited: sum('awaited'), told: sum('told') },
  };
}

test('no probe fails, and neither files nor memory grow', { timeout: 120_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const fields: Field[] = [];
  for (let n = 0; n < probers; n += 1) fields.push(await makeField(stack));
  // What is loaded and compiled on the way is not counted.
  await round(fields, 50);
  const [filesBefore, mbBefore] = [openFiles(), heapMb()];
  const { failed, hungUp, awaited, told } = await round(fields, probesEach);
  expect(failed).toBe(0);
  expect(awaited).toBeGreaterThan(100);
  // Of the others many were closed by us first, for the next probe.
  expect(told).toBeGreaterThanOrEqual(awaited);
  expect(told).toBeLessThanOrEqual(hungUp);
  await waitUntil({ expected: 'hardly more open files than before', withinMs: 5000 }, () => {
    const files = openFiles();
    return files <= filesBefore + 2 * probers || `${files}, before ${filesBefore}`;
  });
  // A connection that was held on to would cost some kB each.
  expect(heapMb() - mbBefore).toBeLessThan(4);
});
