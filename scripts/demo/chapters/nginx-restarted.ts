/**
 * nginx stopped, and started again on the file as it stands. Requests fail only while it is away;
 * the balancer notices both, and confirms the generation again.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { messageOf } from '../../../src/lib/errors.ts';
import { waitUntil } from '../../parts/wait-until.ts';
import { noticedMs } from '../cadence.ts';
import type { Chapter, Stage } from '../chapter.ts';
import { allOf } from '../cost.ts';
import { confOnDisk } from '../evidence.ts';
import { seconds } from '../removal.ts';
import { nginxServes } from '../settled.ts';
import { now } from '../steady-client.ts';

export const nginxRestarted: Chapter = {
  name: 'nginx-restarted',
  title: 'nginx is stopped and started again',
  sabotage: 'it is started on a file of another generation, with the balancer frozen',
  async run(stage) {
    const { cluster, signal } = stage;
    const { generation } = await confOnDisk(cluster.conf);
    const stoppedAt = now();
    await cluster.nginx.stop();
    await waitUntil(
      { expected: 'the balancer to notice that nginx is away', withinMs: noticedMs },
      async () => {
        const status = await cluster.balancer.status();
        return !status.confirmed || 'still confirmed';
      },
      signal,
    );
    if (stage.sabotaged) await replaceGeneration(stage, generation);
    await cluster.nginx.start();
    const backAt = now();
    const confirmedMs = await waitUntil(
      { expected: `nginx proven to serve ${generation} again`, withinMs: noticedMs },
      () => nginxServes(cluster, generation).catch(messageOf),
      signal,
    );
    return {
      line: `nginx away for ${seconds(backAt - stoppedAt)}; generation confirmed again ${seconds(confirmedMs)}`,
      cost: {
        mayFail: ({ startedAt, endedAt }) => endedAt >= stoppedAt && startedAt <= backAt,
        atMost: allOf(stage, backAt - stoppedAt),
      },
    };
  },
};

async function replaceGeneration({ cluster }: Stage, generation: string): Promise<void> {
  await cluster.balancer.freeze();
  const text = await readFile(cluster.conf, 'utf8');
  await writeFile(cluster.conf, text.replaceAll(generation, '0'.repeat(generation.length)));
}
