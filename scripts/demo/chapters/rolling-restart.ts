/**
 * Every apache restarted, one after the other: its watchdog ends once every balancer has confirmed
 * that nginx sends nothing new to it, and the next one's turn comes when nginx is confirmed to serve
 * this one again. A deployment in working hours, without a sleep and without a failed request.
 */
import { httpGet } from '../../parts/http-get.ts';
import { waitUntil } from '../../parts/wait-until.ts';
import { appliedMs, deregisteredMs, settledMs } from '../cadence.ts';
import type { Chapter, Stage } from '../chapter.ts';
import type { Backend } from '../cluster.ts';
import { seconds } from '../removal.ts';
import { settled } from '../settled.ts';
import { now } from '../steady-client.ts';

export const rollingRestart: Chapter = {
  name: 'rolling-restart',
  title: 'all three apaches are restarted, one after the other',
  sabotage: 'the watchdogs are killed instead of stopped, so that nothing is drained',
  async run(stage) {
    let slowestMs = 0;
    for (const backend of stage.cluster.backends) {
      slowestMs = Math.max(slowestMs, await restart(stage, backend));
    }
    const { length } = stage.cluster.backends;
    return {
      line: `all ${length} in turn: drain confirmed at most ${seconds(slowestMs)} after SIGTERM`,
    };
  },
};

/** How long the drain took. */
async function restart(stage: Stage, backend: Backend): Promise<number> {
  const { cluster, client, signal, sabotaged } = stage;
  const { watchdog, apache, address } = backend;
  const askedAt = now();
  if (sabotaged) await watchdog.kill();
  else await stopWatchdog(backend);
  const drainedAt = now();
  if (drainedAt - askedAt > deregisteredMs + appliedMs) {
    throw new Error(
      `expected ${watchdog.name} to have drained within ` +
        `${seconds(deregisteredMs + appliedMs)}, seen: ${seconds(drainedAt - askedAt)}`,
    );
  }
  await apache.stop();
  await apache.start();
  const strays = (await client.startedBetween(drainedAt, now())).filter(
    ({ answeredBy }) => answeredBy === address,
  ).length;
  if (strays > 0)
    throw new Error(`expected no request to ${address} once drained, seen: ${strays}`);
  await watchdog.start();
  await inRotation(backend, signal);
  await settled(cluster, signal);
  return drainedAt - askedAt;
}

async function stopWatchdog({ watchdog }: Backend): Promise<void> {
  const { code } = await watchdog.stop();
  if (code !== 0) throw new Error(`expected the ${watchdog.name} to exit 0, seen: ${code}`);
}

async function inRotation({ watchdog }: Backend, signal: AbortSignal): Promise<void> {
  const expected = `${watchdog.name} to be in rotation`;
  await waitUntil(
    { expected, withinMs: settledMs, everyMs: 25 },
    async () => {
      const { status, body } = await httpGet(`${watchdog.adminUrl}/-/ready`, 1000);
      return status === 200 || body;
    },
    signal,
  );
}
