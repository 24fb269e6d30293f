/**
 * `npm run bench:churn`: changes at a steady rate while a client asks: how many generations of nginx
 * that makes, how soon a removed backend is out of what nginx serves, and what the client notices.
 * One row with one removal a second among additions and changed weights, and one in which every
 * second change is a removal.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startSteadyClient } from '../scripts/demo/steady-client.ts';
import { freePort } from '../scripts/parts/ports.ts';
import { childrenOf, loopbackOf, nameOf, startBalancedSite } from './balanced-site.ts';
import { percentile, tableOf, tell } from './result.ts';

const { values: asked } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    write: { type: 'boolean', default: false },
  },
});
const seconds = Number(asked.seconds);
const backends = 200;
const changesPerSecond = 20;
const everyMs = 1000 / changesPerSecond;

interface Mix {
  readonly what: string;
  /** Of so many changes one is a removal, and one puts a removed backend back. */
  readonly removalEvery: number;
}

const mixes: readonly Mix[] = [
  { what: 'one removal a second', removalEvery: changesPerSecond },
  { what: 'every second change a removal', removalEvery: 2 },
];

await using stack = new AsyncDisposableStack();
const port = await freePort();
// One server behind all addresses of loopback: the backends stay well, whatever their keys do.
const server = createServer((_request, response) => void response.end('well\n'));
await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve));
stack.defer(() => void server.close());

const rows: string[][] = [];
for (const mix of mixes) rows.push(await churn(mix));
await tell(
  'churn',
  tableOf(['', 'generations', 'removals', 'out of nginx p50', 'p99', 'requests', 'failed'], rows),
  `${changesPerSecond} changes a second for ${seconds} s over ${backends} backends. Out of nginx: from ` +
    'the sending of the removal to the first worker on a file without the backend.',
  asked.write,
);

async function churn({ what, removalEvery }: Mix): Promise<string[]> {
  await using site = await startBalancedSite(backends, (n) => loopbackOf(n, port));
  using client = startSteadyClient(site.url);
  const watched = watchGenerations(site.pids.nginx, site.conf);
  const tookMs: Promise<number>[] = [];
  /** Removed, and out of nginx: these may come back. */
  const out: number[] = [];
  const beganAt = performance.now();
  const gone = new Set<number>();
  for (let change = 0; change < seconds * changesPerSecond; change += 1) {
    const n = (change * 37) % backends;
    if (change % removalEvery === 0 && !gone.has(n)) {
      const left = watched.without(loopbackOf(n, port));
      tookMs.push(left);
      gone.add(n);
      void left.then(() => out.push(n));
      await site.remove(nameOf(n));
    } else if (change % removalEvery === 1 && out.length > 0) {
      const back = out.shift() ?? 0;
      gone.delete(back);
      await site.put(nameOf(back), loopbackOf(back, port));
    } else if (!gone.has(n)) {
      const weight = 1 + (change % 5);
      await site.put(nameOf(n), JSON.stringify({ address: loopbackOf(n, port), weight }));
    }
    await sleep(Math.max(0, beganAt + (change + 1) * everyMs - performance.now()));
  }
  const endedAt = performance.now();
  const removals = await Promise.all(tookMs);
  const generations = watched.count();
  await site.settled();
  watched.stop();
  const sent = await client.startedBetween(beganAt, endedAt);
  const failed = sent.filter(({ failure }) => failure !== undefined).length;
  return [
    what,
    String(generations),
    String(removals.length),
    `${percentile(removals, 0.5).toFixed(0)} ms`,
    `${percentile(removals, 0.99).toFixed(0)} ms`,
    String(sent.length),
    String(failed),
  ];
}

/** Follows nginx's workers: each time new ones come, what is in the file is what they serve. */
function watchGenerations(master: number, conf: string) {
  let known = new Set(childrenOf(master));
  let bursts = 0;
  let burstAtMs = Number.NEGATIVE_INFINITY;
  const waiting = new Map<string, (atMs: number) => void>();
  const timer = setInterval(() => {
    const now = childrenOf(master);
    if (now.every((pid) => known.has(pid))) return;
    known = new Set(now);
    const atMs = performance.now();
    // A reload forks its workers one after the other.
    if (atMs - burstAtMs > 20) bursts += 1;
    burstAtMs = atMs;
    const text = readFileSync(conf, 'utf8');
    for (const [address, told] of waiting) {
      if (text.includes(`server ${address}`)) continue;
      waiting.delete(address);
      told(atMs);
    }
  }, 1);
  return {
    count: () => bursts,
    without: (address: string) => {
      const beganAtMs = performance.now();
      return new Promise<number>((resolve) => {
        waiting.set(address, (atMs) => resolve(atMs - beganAtMs));
      });
    },
    stop: () => clearInterval(timer),
  };
}
