/**
 * Shows the cluster until it is stopped: on a terminal a table that is kept up to date, elsewhere a
 * line for each change. What is ended by hand is started again after a while.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import logUpdate from 'log-update';
import type { Cluster } from './cluster.ts';
import { generationServed } from './evidence.ts';
import { hints } from './hints.ts';
import { reviver } from './reviver.ts';
import { changes, table, type View } from './view.ts';

const EVERY_MS = 250;

export async function live(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const show = process.stdout.isTTY ? showTable(cluster) : showChanges(cluster);
  const revive = reviver(cluster);
  try {
    while (!signal.aborted) {
      show(await look(cluster));
      revive();
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    if (process.stdout.isTTY) logUpdate.done();
  }
}

async function look({ backends, balancer, url, confirmUrl }: Cluster): Promise<View> {
  const [served, balancerStatus, ...watched] = await Promise.all([
    generationServed(confirmUrl),
    balancer.status().catch(() => undefined),
    ...backends.map(async ({ name, address, watchdog }) => ({
      ...{ name, address },
      watchdog: await watchdog.status().catch(() => undefined),
    })),
  ]);
  return { url, served, balancer: balancerStatus, backends: watched };
}

function showTable(cluster: Cluster): (view: View) => void {
  return (view) => {
    logUpdate(
      `\n${bold(`Open ${view.url}`)}   (Ctrl-C stops and removes everything)\n\n` +
        `${table(view, Date.now())}\n\n${hints(cluster)}`,
    );
  };
}

function showChanges(cluster: Cluster): (view: View) => void {
  let before: View | undefined;
  return (view) => {
    if (!before) process.stdout.write(`\nOpen ${view.url}\n\n${hints(cluster)}\n\n`);
    for (const change of changes(before, view)) process.stdout.write(`${clock()} ${change}\n`);
    before = view;
  };
}

const bold = (text: string) => styleText('bold', text, { stream: process.stdout });

const clock = () => new Date().toTimeString().slice(0, 8);
