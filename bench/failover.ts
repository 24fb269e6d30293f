/**
 * `npm run bench:failover`: from a fault to the key being gone, beside HAProxy with the same settings.
 * Both check the same apache at the same time, so each round is the same fault at the same instant
 * for both. The three faults run side by side, each on an apache of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Etcd3 } from 'etcd3';
import { watchdogFlags } from '../scripts/demo/cadence.ts';
import { type Apache, startApache } from '../scripts/parts/apache.ts';
import { startEtcd } from '../scripts/parts/etcd.ts';
import { startWatchdog } from '../scripts/parts/rollcall.ts';
import { type Checks, startHaproxy } from './haproxy.ts';
import { needHaproxy } from './need-haproxy.ts';
import { percentile, ratio, tableOf, tell } from './result.ts';
import { Sightings } from './sightings.ts';

const { values: asked } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(asked.rounds);
const prefix = '/bench/';
const seenWithinMs = 20_000;

interface Fault {
  readonly what: string;
  strike(apache: Apache): Promise<unknown>;
  heal(apache: Apache): Promise<unknown>;
}

const faults: Readonly<Record<string, Fault>> = {
  killed: {
    what: 'killed (`kill -9`)',
    strike: (apache) => apache.kill(),
    heal: (apache) => apache.start(),
  },
  frozen: {
    what: 'frozen (`kill -STOP`)',
    strike: (apache) => apache.freeze(),
    heal: async (apache) => apache.resume(),
  },
  failing: {
    what: 'answers 500',
    strike: (apache) => apache.failing(true),
    heal: (apache) => apache.failing(false),
  },
};

await needHaproxy();
await using stack = new AsyncDisposableStack();
const etcd = stack.use(await startEtcd());
const keys = new Sightings();
const servers = new Sightings();
await watchKeys();

const apaches = new Map<string, Apache>();
for (const name of Object.keys(faults)) {
  const apache = stack.use(await startApache());
  apaches.set(name, apache);
  const where = { key: prefix + name, address: apache.address, probe: apache.url };
  stack.use(await startWatchdog({ ...watchdogFlags, ...where, etcd: etcd.url }));
}
const addresses = Object.fromEntries([...apaches].map(([name, { address }]) => [name, address]));
stack.use(await startHaproxy(addresses, watchdogFlags as unknown as Checks, servers));

const measured = await Promise.all(
  [...apaches].map(async ([name, apache]) => ({ name, ...(await measure(name, apache)) })),
);

await tell(
  'failover',
  tableOf(
    ['apache', 'watchdog p50', 'p99', 'HAProxy p50', 'p99', 'p50 to HAProxy', 'p99 to HAProxy'],
    measured.map(({ name, watchdogMs, haproxyMs }) => {
      const ours = [0.5, 0.99].map((share) => percentile(watchdogMs, share));
      const theirs = [0.5, 0.99].map((share) => percentile(haproxyMs, share));
      return [
        faults[name]?.what ?? name,
        ...[...ours, ...theirs].map((ms) => `${ms.toFixed(0)} ms`),
        ...ours.map((ms, n) => ratio(ms, theirs[n] ?? Number.NaN)),
      ];
    }),
  ),
  `${rounds} rounds of each. Both: ${settingsInWords()}. Ours is seen by a watch on etcd, HAProxy's on ` +
    'its stats socket.',
  asked.write,
);

async function measure(name: string, apache: Apache) {
  const fault = faults[name];
  if (!fault) throw new Error(`no fault ${name}`);
  const watchdogMs: number[] = [];
  const haproxyMs: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await bothSee(name, true);
    // Anywhere in the interval, for both.
    await sleep(1000 + Math.random() * 1000);
    const beganAtMs = performance.now();
    const [[keyAtMs, serverAtMs]] = await Promise.all([bothSee(name, false), fault.strike(apache)]);
    watchdogMs.push(keyAtMs - beganAtMs);
    haproxyMs.push(serverAtMs - beganAtMs);
    await fault.heal(apache);
    process.stderr.write(
      `${name} ${round}: ${Math.round(watchdogMs.at(-1) ?? 0)} ms, HAProxy ${Math.round(haproxyMs.at(-1) ?? 0)} ms\n`,
    );
  }
  return { watchdogMs, haproxyMs };
}

function bothSee(name: string, up: boolean) {
  return Promise.all([
    keys.whenSeen(name, up, seenWithinMs),
    servers.whenSeen(name, up, seenWithinMs),
  ]);
}

async function watchKeys(): Promise<void> {
  const client = new Etcd3({ hosts: etcd.url });
  stack.defer(() => client.close());
  const watcher = await client.watch().prefix(prefix).create();
  stack.defer(() => watcher.cancel());
  watcher.on('put', ({ key }) => keys.saw(key.toString().slice(prefix.length), true));
  watcher.on('delete', ({ key }) => keys.saw(key.toString().slice(prefix.length), false));
  watcher.on('error', (error) => keys.fail(error));
}

function settingsInWords(): string {
  const { interval, 'fast-interval': fast, timeout, fall, rise } = watchdogFlags;
  return `interval ${interval}, ${fast} while in doubt, timeout ${timeout}, fall ${fall}, rise ${rise}`;
}
