/**
 * Every apache restarted, one after the other, each only after nginx is proven to do without it and
 * the one before is proven to be back: a deployment in working hours, without a failed request.
 */
import type { Chapter, Stage } from '../chapter.ts';
import { deregisteredMs } from '../cadence.ts';
import type { Backend } from '../cluster.ts';
import { seconds, watchRemoval } from '../removal.ts';
import { settled } from '../settled.ts';

export const rollingRestart: Chapter = {
  name: 'rolling-restart',
  title: 'all three apaches are restarted, one after the other',
  sabotage: 'the watchdogs are killed instead of stopped, so their keys stay for a while',
  async run(stage) {
    let slowestMs = 0;
    for (const backend of stage.cluster.backends) {
      slowestMs = Math.max(slowestMs, await restart(stage, backend));
    }
    const { length } = stage.cluster.backends;
    return {
      line: `all ${length} in turn: out of nginx at most ${seconds(slowestMs)} after SIGTERM`,
    };
  },
};

/** How long nginx took to do without it. */
async function restart(stage: Stage, backend: Backend): Promise<number> {
  const { watchdog, apache } = backend;
  const [left, ended] = await Promise.allSettled([
    watchRemoval(stage, backend, deregisteredMs),
    stage.sabotaged ? watchdog.kill() : stopWatchdog(backend),
  ]);
  if (left.status === 'rejected') throw left.reason;
  if (ended.status === 'rejected') throw ended.reason;
  await apache.stop();
  await apache.start();
  await watchdog.start();
  await settled(stage.cluster, stage.signal);
  return left.value.unservedMs;
}

async function stopWatchdog({ watchdog }: Backend): Promise<void> {
  const { code } = await watchdog.stop();
  if (code !== 0) throw new Error(`expected the ${watchdog.name} to exit 0, seen: ${code}`);
}
