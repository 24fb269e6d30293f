/** Invariant 4: no backend is dropped because etcd is away, slow, wiped or restored. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ttlMs } from '../../scripts/demo/cadence.ts';
import { startCluster } from '../../scripts/demo/cluster.ts';
import { keysInEtcd } from '../../scripts/demo/evidence.ts';
import { settled } from '../../scripts/demo/settled.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { watchPool } from '../support/pool-watcher.ts';

const quietly = <T>(_what: string, work: () => Promise<T>) => work();
const unhurried = new AbortController().signal;

test('etcd wiped: every backend stays in nginx.conf until it has registered anew', async () => {
  await using cluster = await startCluster(quietly, unhurried, {});
  await using pool = watchPool(cluster.conf);

  await cluster.etcd.stop();
  await cluster.etcd.wipe();
  await cluster.etcd.start();
  expect([...(await keysInEtcd(cluster.etcd.url, '/test')).keys()].length).toBeLessThan(3);
  await settled(cluster, unhurried);

  expect(pool.least()).toBe(3);
  await waitUntil({ expected: 'a new watch', withinMs: 5000 }, async () => {
    const { etcd } = await cluster.balancer.status();
    return etcd.connected || 'none';
  });
}, 60_000);

test('etcd frozen for longer than the TTL: every lease runs out at once, and no backend goes', async () => {
  await using cluster = await startCluster(quietly, unhurried, {});
  await using pool = watchPool(cluster.conf);
  const probesBefore = await Promise.all(cluster.backends.map(probes));

  await cluster.etcd.freeze();
  await sleep(ttlMs + 2500);
  // Invariant 2: calls that get no answer end, so the probes have gone on all the time.
  const probesAfter = await Promise.all(cluster.backends.map(probes));
  for (const [index, before] of probesBefore.entries()) {
    expect(probesAfter[index]).toBeGreaterThanOrEqual(before + 2);
  }
  cluster.etcd.resume();
  await settled(cluster, unhurried);

  expect(pool.least()).toBe(3);
}, 60_000);

async function probes({ watchdog }: { readonly watchdog: { readonly adminUrl: string } }) {
  const { body } = await httpGet(`${watchdog.adminUrl}/metrics`, 2000);
  return Number(/^rollcall_probes_total\{result="passed"\} (\d+)/m.exec(body)?.[1] ?? 0);
}
