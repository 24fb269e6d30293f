/**
 * `npm run bench:rolling-restart`: all apaches behind two nginxes restarted one after the other, again
 * and again, while clients ask all along: once on the acknowledgement of every balancer, and, to show
 * that this is what it takes, with a sleep in its place. Exits with 1 when a request fails with the
 * acknowledgement, or none without.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { percentile, tableOf, tell } from './result.ts';
import { gatherEvidence } from './rolling/evidence.ts';
import { kinds } from './rolling/kinds.ts';
import { type Loaded, startLoad } from './rolling/load.ts';
import { startSite } from './rolling/site.ts';
import { acknowledged, afterSleep, restart, type RestartTimes, type Way } from './rolling/way.ts';

const { values: asked } = parseArgs({
  options: {
    requests: { type: 'string' },
    'control-requests': { type: 'string' },
    quick: { type: 'boolean', default: false },
    evidence: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const requests = Number(asked.requests ?? (asked.quick ? 5000 : 100_000));
const controlRequests = Number(asked['control-requests'] ?? (asked.quick ? 5000 : 20_000));
const backends = 4;
const fronts = 2;

interface Measured extends Loaded {
  readonly what: string;
  readonly times: readonly RestartTimes[];
}

const ways: readonly (readonly [Way, number])[] = [
  [acknowledged, requests],
  [afterSleep(50), controlRequests],
  [afterSleep(1000), controlRequests],
];
const measured: Measured[] = [];
// By --requests 0 or --control-requests 0 some are left out.
for (const [way, count] of ways) if (count > 0) measured.push(await measure(way, count));

await tell(
  'rolling-restart',
  `${tableOf(
    ['', 'requests', ...kinds.map(({ name }) => name), 'failed', 'asked again', 'passed on'],
    measured.map(({ what, counts, total }) => [
      what,
      String(total.requests),
      ...kinds.map(({ name }) => failedOf(counts[name])),
      String(total.failed),
      String(total.askedAgain),
      String(total.passedOn),
    ]),
  )}\n\n${tableOf(
    ['a restart took (p50, p90, max)', 'restarts', 'drain', 'apache', 'until back', 'whole'],
    measured.map(({ what, times }) => [
      what,
      String(times.length),
      spread(times.map(({ drainMs }) => drainMs)),
      spread(times.map(({ apacheMs }) => apacheMs)),
      spread(times.map(({ backMs }) => backMs)),
      spread(times.map(({ wholeMs }) => wholeMs)),
    ]),
  )}`,
  `${backends} apaches behind ${fronts} nginxes. Of each kind: failed of all asked. Asked again: a ` +
    'kept connection ended as it was written on, without a byte of an answer, and the request was ' +
    'asked once more on a new one. Passed on: by nginx, to another apache.',
  asked.write,
);
for (const { what, failed } of measured) tellReasons(what, failed);

const failedWith = (what: string) => measured.find((one) => one.what === what)?.total.failed;
const control = failedWith(afterSleep(50).what);
if ((failedWith(acknowledged.what) ?? 0) > 0) fail('requests failed although all acknowledged');
if (control === 0) fail('without the acknowledgement nothing failed: this shows nothing');

async function measure(way: Way, atLeast: number): Promise<Measured> {
  await using site = await startSite({ backends, fronts, watchdogFlags: way.watchdogFlags });
  const directory = asked.evidence && join(asked.evidence, way.what.replaceAll(' ', '-'));
  const evidence = gatherEvidence(directory, way === acknowledged);
  await using load = await startLoad(
    site.fronts.map(({ url }) => url),
    (failed) => evidence.failed(failed),
  );
  const times: RestartTimes[] = [];
  try {
    while (load.requests() < atLeast) {
      for (const backend of site.backends) {
        const { address } = backend.apache;
        times.push(await restart(way, backend, (doing) => evidence.step(address, doing)));
        process.stderr.write(
          `\r${way.what}: ${times.length} restarts, ${load.requests()} of ${atLeast} requests`,
        );
      }
    }
    return { what: way.what, times, ...(await load.end()) };
  } finally {
    process.stderr.write('\n');
    await evidence.keep(site);
  }
}

function failedOf(count: Loaded['counts'][string] | undefined): string {
  return `${count?.failed ?? 0} of ${count?.requests ?? 0}`;
}

function spread(ms: readonly number[]): string {
  const inSeconds = (share: number) => (percentile(ms, share) / 1000).toFixed(2);
  return `${[0.5, 0.9, 1].map(inSeconds).join(', ')} s`;
}

function tellReasons(what: string, failed: Loaded['failed']): void {
  const reasons = Map.groupBy(failed, ({ kind, outcome }) => `${kind}: ${outcome.failure}`);
  for (const [reason, those] of reasons) {
    process.stdout.write(`${what}: ${those.length} × ${reason}\n`);
  }
}

function fail(why: string): void {
  process.stderr.write(`${why}\n`);
  process.exitCode = 1;
}
