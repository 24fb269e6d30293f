/**
 * A drain waits for every balancer that lives, and for none that does not: one that joins, one that is
 * cut off from etcd, one that takes back what it acknowledged, one that never confirms.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import {
  type Acknowledgement,
  acknowledgementKey,
  formatAcknowledgement,
} from '../../src/registry/acknowledgement.ts';
import { shortCall } from '../../src/registry/etcd/endpoints.ts';
import { askAllAlong } from '../support/counted-backend.ts';
import {
  confirmedText,
  type DrainedSite,
  startDrainedSite,
  stopped,
  untilMissing,
  untilStage,
  untilTold,
} from '../support/drained-site.ts';
import { openEtcdClient } from '../support/etcd-client.ts';
import { measureStalls } from '../support/stalls.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

/** etcd looks for leases that ran out this often. */
const expiryLookMs = 500;
/** A watchdog that waits looks at least this often. */
const lookEveryMs = 1000;

const notProven = 'its nginx is not proven to serve anything yet';

test('a balancer that joins meanwhile is waited for, until its nginx is proven to do without the key', async () => {
  await using site = await startDrainedSite();
  const first = await site.addFront();
  const stays = await site.addMember('stays');
  const { backend, watchdog } = await site.addMember('goes');
  await first.balancer.freeze();
  const ends = stopped(watchdog);
  await untilStage(watchdog, 'waiting');
  const joins = await site.addBalancer();
  await waitUntil({ expected: 'both missed', withinMs: 5000 }, async () => {
    const { waitsFor } = await watchdog.status();
    return waitsFor.length === 2 || JSON.stringify(waitsFor);
  });
  first.balancer.resume();
  await untilMissing(watchdog, `${joins.who}: ${notProven}`);
  expect(await Promise.race([ends, sleep(2 * lookEveryMs, 'still running')])).toBe('still running');

  await joins.site.startNginx();
  const { code, last, confirmed, endedMs } = await ends;
  expect([code, last.msg]).toEqual([0, confirmedText]);
  expect(confirmed).toEqual([first.who, joins.who].toSorted());
  await using client = site.askAllAlong(first, joins);
  await client.ask(30);
  expect(client.reachedSince(backend, endedMs)).toEqual([]);
  expect(client.reachedSince(stays.backend, endedMs).length).toBeGreaterThanOrEqual(60);
}, 60_000);

test('a balancer cut off from etcd is named, and waited for until its lease is gone', async () => {
  await using proxy = await startTcpProxy(inject('etcdUrl'));
  await using site = await startDrainedSite();
  const ttlMs = 2000;
  const well = await site.addFront();
  const cutOff = await site.addFront({ etcd: proxy.url, ttl: `${ttlMs}ms` });
  await site.addMember('stays');
  const { watchdog } = await site.addMember('goes');
  const revision = await acknowledgedBy(site, cutOff.balancer.pid);

  using stalls = measureStalls();
  proxy.cut();
  const ends = stopped(watchdog);
  const named = await untilTold(watchdog, `waiting for balancers: ${cutOff.who}`);
  expect(named.msg).toMatch(
    new RegExp(`: its nginx serves revision ${revision}, and \\d+ is needed$`),
  );
  const { code, last, confirmed, tookMs } = await ends;
  expect([code, last.msg]).toEqual([0, confirmedText]);
  expect(confirmed).toEqual([well.who]);
  expect(tookMs).toBeLessThan(
    ttlMs + expiryLookMs + lookEveryMs + shortCall.tryMs + stalls.totalMs,
  );
}, 60_000);

test('an acknowledgement that is taken back while the watchdog lingers is waited for again', async () => {
  await using site = await startDrainedSite();
  const lingerMs = 1500;
  const front = await site.addFront();
  await site.addMember('stays');
  const { watchdog } = await site.addMember('goes', { 'drain-linger': `${lingerMs}ms` });
  await using other = await standIn(site);
  await other.says(0);
  const ends = stopped(watchdog);
  await untilMissing(watchdog, `other (pid 7): ${notProven}`);
  const { drain } = await watchdog.status();
  const revision = drain?.revision ?? expect.unreachable();
  // One that serves everything but the very change that is waited for.
  await other.says(revision - 1);
  const stale = `its nginx serves revision ${revision - 1}, and ${revision} is needed`;
  await untilMissing(watchdog, `other (pid 7): ${stale}`);

  await other.says(revision);
  await untilStage(watchdog, 'lingering');
  await other.says(0);
  await untilStage(watchdog, 'waiting');
  expect(await Promise.race([ends, sleep(2 * lingerMs, 'still running')])).toBe('still running');
  const raisedMs = performance.now();
  await other.says(revision);
  const { code, last, confirmed, endedMs } = await ends;
  expect([code, last.msg]).toEqual([0, confirmedText]);
  expect(confirmed).toEqual([front.who, 'other (pid 7)'].toSorted());
  expect(endedMs - raisedMs).toBeGreaterThan(lingerMs);
}, 60_000);

test('nginx is started anew on an older file while the watchdog lingers: waited for again', async () => {
  await using site = await startDrainedSite();
  const lingerMs = 5000;
  const { balancer, nginx, who, site: at } = await site.addFront();
  await site.addMember('stays');
  const { backend, watchdog } = await site.addMember('goes', { 'drain-linger': `${lingerMs}ms` });
  const older = await readFile(at.home.conf, 'utf8');
  const ends = stopped(watchdog);
  await untilStage(watchdog, 'lingering');
  await balancer.freeze();
  await nginx.kill();
  await writeFile(at.home.conf, older);
  await nginx.start();
  await using client = askAllAlong([at.url]);
  await client.ask(10);
  expect(client.reachedSince(backend, 0).length).toBeGreaterThan(0);

  const resumedMs = performance.now();
  balancer.resume();
  await untilTold(watchdog, `waiting for balancers: ${who}: ${notProven}`);
  const { code, last, endedMs } = await ends;
  expect([code, last.msg]).toEqual([0, confirmedText]);
  expect(endedMs - resumedMs).toBeGreaterThan(lingerMs);
  await client.ask(50);
  expect(client.reachedSince(backend, endedMs)).toEqual([]);
}, 60_000);

test('--drain-timeout passes: it goes, with exit status 0, and names who had not confirmed and why', async () => {
  await using site = await startDrainedSite();
  const timeoutMs = 3000;
  const [well, frozen] = [await site.addFront(), await site.addFront()];
  await site.addMember('stays');
  const { watchdog } = await site.addMember('goes', { 'drain-timeout': `${timeoutMs}ms` });
  const revision = await acknowledgedBy(site, frozen.balancer.pid);
  await frozen.balancer.freeze();
  using stalls = measureStalls();
  const { code, last, confirmed, tookMs } = await stopped(watchdog);
  expect(code).toBe(0);
  const needed = Number(last['revision']);
  expect(last).toMatchObject({
    ...{ level: 'warn', by: 'shutdown' },
    msg: 'not drained: --drain-timeout is over, and not all have confirmed',
    missing: [`${frozen.who}: its nginx serves revision ${revision}, and ${needed} is needed`],
  });
  expect(confirmed).toEqual([well.who]);
  expect(tookMs).toBeGreaterThanOrEqual(timeoutMs);
  expect(tookMs).toBeLessThan(timeoutMs + shortCall.budgetMs + stalls.totalMs);
  expect(await site.keys.read('goes')).toBeUndefined();
  frozen.balancer.resume();
}, 60_000);

/** The revision that the balancer of this process id has acknowledged. */
async function acknowledgedBy(site: DrainedSite, pid: number | undefined): Promise<number> {
  using client = openEtcdClient(inject('etcdUrl'));
  const all = await client.etcd.getAll().prefix(`${site.recordPrefix}/balancers/`).strings();
  const said = Object.values(all).map((text) => JSON.parse(text) as Acknowledgement);
  return said.find((one) => one.pid === pid)?.revision ?? expect.unreachable();
}

/** A balancer that is nothing but what it acknowledges. */
async function standIn({ recordPrefix, keys }: DrainedSite) {
  using stack = new DisposableStack();
  const { etcd } = stack.use(openEtcdClient(inject('etcdUrl')));
  const { cluster_id: cluster } = (await etcd.get('/').exec()).header;
  const lease = etcd.lease(60);
  const owned = stack.move();
  return {
    says: async (revision: number) => {
      const text = formatAcknowledgement({
        ...{ instance: 'other', host: 'other', pid: 7, version: '0.0.0', admin: null },
        ...{ service: 'backend', cluster, revision, generation: null, olderLive: false },
        ...{ omits: [], omitsMore: false },
      });
      await lease.put(acknowledgementKey(recordPrefix, keys.prefix, 'other')).value(text);
    },
    [Symbol.asyncDispose]: async () => {
      await lease.revoke();
      owned.dispose();
    },
  };
}
