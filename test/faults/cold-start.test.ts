/**
 * A balancer that starts without etcd, or after etcd has lost its keys, goes on with the pool that
 * it kept on disk.
 */
import { existsSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { putKey } from '../../scripts/demo/evidence.ts';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { makeScratch } from '../../scripts/parts/scratch.ts';
import type { BalancerStatus } from '../../scripts/parts/status.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { readWorkers } from '../../src/balancer/nginx/workers.ts';
import { relistMs } from '../../src/registry/mirror.ts';
import { has, keptPool } from '../support/kept-pool.ts';
import { untilConfirmed } from '../support/nginx-site.ts';

const isFrom = (wanted: string) => (status: BalancerStatus) =>
  status.services[0]?.source === wanted;

const printOf = async (path: string) => {
  const { ino, mtimeNs } = await stat(path, { bigint: true });
  return `${ino} ${mtimeNs}`;
};

test.concurrent('without etcd and without nginx.conf: what was kept is served, and etcd’s return changes nothing', async () => {
  await using etcd = await startEtcd();
  await using world = await keptPool(etcd);
  const { site, balancer, nginx, statePath, told, apaches } = world;
  const before = await readFile(site.home.conf, 'utf8');
  const kept = await printOf(statePath);
  await balancer.stop();
  await nginx.stop();
  await etcd.stop();
  await rm(site.home.conf);

  await balancer.start();
  await waitUntil(
    { expected: 'the file', withinMs: 5000 },
    () => existsSync(site.home.conf) || 'none',
  );
  expect(await readFile(site.home.conf, 'utf8')).toBe(before);
  await nginx.start();
  await untilConfirmed(balancer, 'the pool from disk', isFrom('disk'));
  const answer = await httpGet(site.url, 1000);
  expect(apaches.some(({ name }) => answer.body.includes(name))).toBe(true);
  expect(has('in pool', 2)(await balancer.status())).toBe(true);
  expect((await httpGet(`${balancer.adminUrl}/-/ready`, 1000)).status).toBe(200);
  expect(told('etcd is away: the pool kept on disk stands')).toHaveLength(1);
  const workers = await readWorkers(site.home.pidFile);
  expect(workers?.serving.length).toBeGreaterThan(0);

  await etcd.start();
  await untilConfirmed(balancer, 'the pool from etcd', isFrom('etcd'));
  await waitUntil({ expected: 'that told', withinMs: 2000 }, () => {
    return told('etcd answers again').length === 1 || 'nothing';
  });
  expect(has('in pool', 2)(await balancer.status())).toBe(true);
  expect(await readWorkers(site.home.pidFile)).toEqual(workers);

  // A revision that moves elsewhere, seen by a listing, is no change of the pool.
  await putKey(etcd.url, '/elsewhere/one', 'x');
  let ageMs = 0;
  await waitUntil({ expected: 'another listing', withinMs: relistMs.most + 2000 }, async () => {
    const { etcd: seen } = await balancer.status();
    const isNew = (seen.dataAgeMs ?? 0) < ageMs;
    ageMs = seen.dataAgeMs ?? 0;
    return isNew || `${ageMs} ms`;
  });
  expect(await printOf(statePath)).toBe(kept);
  expect(await readWorkers(site.home.pidFile)).toEqual(workers);
});

test.concurrent('etcd was wiped meanwhile: who is missing at the start is held, and served, until it is back', async () => {
  await using etcd = await startEtcd();
  await using elsewhere = await makeScratch('state');
  const state = join(elsewhere.path, 'pool.json');
  await using world = await keptPool(etcd, { state, hold: '60s' });
  const { site, balancer, putAll } = world;
  expect(existsSync(join(dirname(site.home.conf), '.nginx.conf.rollcall-state'))).toBe(false);
  const before = await readFile(site.home.conf, 'utf8');
  await balancer.stop();
  await etcd.stop();
  await etcd.wipe();
  await etcd.start();

  await balancer.start();
  const { backends } = await untilConfirmed(balancer, 'both held', has('held', 2));
  expect(backends.map(({ reason }) => reason)).toEqual(
    Array.from({ length: 2 }, () => 'etcd was wiped or restored'),
  );
  expect((await httpGet(site.url, 1000)).status).toBe(200);
  const workers = await readWorkers(site.home.pidFile);
  await putAll();
  await untilConfirmed(balancer, 'both in the pool', has('in pool', 2));
  expect(await readFile(site.home.conf, 'utf8')).toBe(before);
  expect(await readWorkers(site.home.pidFile)).toEqual(workers);
});
