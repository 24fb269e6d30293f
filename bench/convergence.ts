/**
 * `npm run bench:convergence`: from one changed key to the first worker that has it, over what
 * nginx itself takes to check and reload the same file; and what the balancer keeps in memory.
 * Each round does both, one after the other, on the same nginx. It counts from the sending of the
 * change, and from etcd's word that it is made: what lies between is etcd's disk.
 */
import { parseArgs } from 'node:util';
import { runCommand } from '../src/lib/run-command.ts';
import { nginxProgram } from '../scripts/parts/nginx.ts';
import {
  type BalancedSite,
  childrenOf,
  loopbackOf,
  nameOf,
  startBalancedSite,
} from './balanced-site.ts';
import { memoryOf } from './process-cost.ts';
import { median, percentile, ratio, tableOf, tell } from './result.ts';

const { values: asked } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    keys: { type: 'string', default: '10,1000,10000' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(asked.rounds);
const notWithinMs = 10_000;

const rows: string[][] = [];
for (const keys of asked.keys.split(',').map(Number)) {
  await using site = await startBalancedSite(keys, (n) => loopbackOf(n, 8001));
  const ours: Waited[] = [];
  const floor: Waited[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const name = nameOf((round * 7919) % keys);
    const address = loopbackOf((round * 7919) % keys, 9000 + round);
    ours.push(await untilNewWorker(site, () => site.put(name, address)));
    await site.settled();
    floor.push(await untilNewWorker(site, () => checkAndReload(site)));
    await site.settled();
    process.stderr.write(`\r${keys} keys: round ${round + 1} of ${rounds}`);
  }
  process.stderr.write('\n');
  const memory = memoryOf(site.pids.balancer);
  const sent = ours.map(({ workerMs }) => workerMs);
  const made = ours.map(({ workerMs, doneMs }) => workerMs - doneMs);
  const alone = floor.map(({ workerMs }) => workerMs);
  rows.push([
    String(keys),
    `${median(sent).toFixed(1)} ms`,
    `${median(made).toFixed(1)} ms`,
    `${median(alone).toFixed(1)} ms`,
    ratio(median(sent), median(alone)),
    ratio(median(made), median(alone)),
    ratio(percentile(sent, 0.9), percentile(alone, 0.9)),
    `${memory.rssMb.toFixed(0)} MB`,
    `${memory.privateDirtyMb.toFixed(0)} MB`,
  ]);
}

await tell(
  'convergence',
  tableOf(
    [
      ...['keys', 'from sending', 'from made', 'nginx alone'],
      ...['sending to nginx', 'made to nginx', 'sending to nginx, p90', 'RSS', 'private dirty'],
    ],
    rows,
  ),
  `Medians of ${rounds} rounds, Node ${process.versions.node}, to the first new worker. Sending: of the ` +
    'change to etcd. Made: when etcd says so. Nginx alone: `nginx -t` and SIGHUP on the same file.',
  asked.write,
);

/** What a person would do with a file that is in place. */
async function checkAndReload({ conf, pids }: BalancedSite): Promise<void> {
  await runCommand([nginxProgram(), '-t', '-q', '-c', conf], notWithinMs);
  process.kill(pids.nginx, 'SIGHUP');
}

interface Waited {
  /** From the beginning of the act to its end. */
  readonly doneMs: number;
  /** From there to the first worker that was not there before. */
  readonly workerMs: number;
}

async function untilNewWorker({ pids }: BalancedSite, act: () => Promise<void>): Promise<Waited> {
  const before = new Set(childrenOf(pids.nginx));
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const beganAtMs = performance.now();
  const acted = act().then(() => performance.now() - beganAtMs);
  for (;;) {
    const workerMs = performance.now() - beganAtMs;
    if (childrenOf(pids.nginx).some((pid) => !before.has(pid))) {
      return { workerMs, doneMs: await acted };
    }
    if (workerMs > notWithinMs) throw new Error('no new worker came');
    await new Promise(setImmediate);
    // The others need the processor too.
    Atomics.wait(pause, 0, 0, 0.1);
  }
}
