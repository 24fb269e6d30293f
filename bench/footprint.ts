/**
 * `npm run bench:footprint`: what a watchdog costs its host at a probe and a renewal a second, beside
 * an empty Node and beside the shell loop that people write instead, all in the same minutes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { watchdogFlags } from '../scripts/demo/cadence.ts';
import { startApache } from '../scripts/parts/apache.ts';
import { startEtcd } from '../scripts/parts/etcd.ts';
import { findProgram } from '../scripts/parts/find-program.ts';
import { type Program, startProgram } from '../scripts/parts/program.ts';
import { startWatchdog } from '../scripts/parts/rollcall.ts';
import { cpuMsOf, memoryOf } from './process-cost.ts';
import { median, ratio, tableOf, tell } from './result.ts';

const { values: asked } = parseArgs({
  options: {
    count: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '60' },
    write: { type: 'boolean', default: false },
  },
});
const count = Number(asked.count);
const seconds = Number(asked.seconds);
/** V8 gives back what the start took only after a while. */
const settleMs = 20_000;

await using stack = new AsyncDisposableStack();
const etcd = stack.use(await startEtcd());
const apache = stack.use(await startApache());

const startOne = (name: string, program: string, args: readonly string[]): Promise<Program> =>
  startProgram({ name, command: { program, args }, ready: async () => true });

const shellLoop = (key: string) => `
export ETCDCTL_API=3
lease=$(etcdctl --endpoints ${etcd.url} lease grant 5 | cut -d' ' -f2)
while :; do
  if curl -fsS -m 1 -o /dev/null ${apache.url}; then
    etcdctl --endpoints ${etcd.url} lease keep-alive --once "$lease" &&
      etcdctl --endpoints ${etcd.url} put --lease "$lease" ${key} ${apache.address}
  fi
  sleep 1
done >/dev/null`;

async function watchdog(name: string, arenas?: string): Promise<Program> {
  // Inherited; read by the C library when a program starts.
  if (arenas) process.env['MALLOC_ARENA_MAX'] = arenas;
  try {
    const where = { key: `/bench/${name}`, address: apache.address, probe: apache.url };
    return await startWatchdog({ ...watchdogFlags, ...where, etcd: etcd.url });
  } finally {
    delete process.env['MALLOC_ARENA_MAX'];
  }
}

const kinds: Readonly<Record<string, (n: number) => Promise<Program>>> = {
  'an empty Node': () => startOne('node', process.execPath, ['-e', 'setInterval(() => {}, 1e6)']),
  'rollcall watchdog': (n) => watchdog(`plain-${n}`),
  'rollcall watchdog, `MALLOC_ARENA_MAX=1`': (n) => watchdog(`arena-${n}`, '1'),
  'a shell loop of curl and etcdctl': (n) =>
    startOne('loop', findProgram('sh'), ['-c', shellLoop(`/bench/loop-${n}`)]),
};

const started = new Map<string, Program[]>();
for (const [kind, start] of Object.entries(kinds)) {
  const programs: Program[] = [];
  for (let n = 0; n < count; n += 1) programs.push(stack.use(await start(n)));
  started.set(kind, programs);
}
process.stderr.write(`${count} of each run; measuring for ${seconds} s\n`);
await sleep(settleMs);

const pids = new Map([...started].map(([kind, programs]) => [kind, programs.map(pidOf)]));
const before = new Map([...pids.values()].flat().map((pid) => [pid, cpuMsOf(pid)]));
const beganAt = performance.now();
await sleep(seconds * 1000);
const tookMs = performance.now() - beganAt;

const costs = [...pids].map(([kind, ofKind]) => {
  const memory = ofKind.map(memoryOf);
  return {
    kind,
    rssMb: median(memory.map(({ rssMb }) => rssMb)),
    dirtyMb: median(memory.map(({ privateDirtyMb }) => privateDirtyMb)),
    cpuShare: median(ofKind.map((pid) => (cpuMsOf(pid) - (before.get(pid) ?? 0)) / tookMs)),
  };
});
const emptyMb = costs[0]?.dirtyMb ?? Number.NaN;
const loopShare = costs.at(-1)?.cpuShare ?? Number.NaN;

await tell(
  'footprint',
  tableOf(
    ['', 'RSS', 'private dirty', 'to an empty Node', 'CPU', 'CPU an hour', 'to the shell loop'],
    costs.map(({ kind, rssMb, dirtyMb, cpuShare }) => [
      kind,
      `${rssMb.toFixed(1)} MB`,
      `${dirtyMb.toFixed(1)} MB`,
      ratio(dirtyMb, emptyMb),
      `${(cpuShare * 100).toFixed(2)} %`,
      `${(cpuShare * 3600).toFixed(0)} s`,
      ratio(cpuShare, loopShare),
    ]),
  ),
  `Medians of ${count} of each over ${seconds} s, Node ${process.versions.node}. The loop's memory is ` +
    "that of its shell at rest; its CPU is its children's too.",
  asked.write,
);

function pidOf({ name, pid }: Program): number {
  if (pid === undefined) throw new Error(`${name} has ended`);
  return pid;
}
