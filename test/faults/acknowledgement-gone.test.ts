/**
 * Whoever finds an acknowledgement finds a balancer that lives, and one of this store: it goes with
 * its balancer, and after a loss of etcd's data it is not said again of the store before.
 */
import { expect, inject, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { watchAcknowledgements } from '../support/acknowledgement-watch.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { startNamedBackend } from '../support/named-backend.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { startServedSite } from '../support/served-site.ts';
import { measureStalls } from '../support/stalls.ts';

const soon = (expected: string) => ({ expected, withinMs: 8000 });

/** etcd looks for leases that ran out this often. */
const expiryLookMs = 500;
const ttlMs = 2000;

test('SIGTERM: it is gone when the balancer is; kill -9: it is gone with its lease', async () => {
  await using world = await startServedSite({
    ...{ backends: { one: '127.0.0.1:9' }, flags: { ttl: `${ttlMs}ms` } },
  });
  const { keys, recordPrefix, balancer } = world;
  const from = Number((await keys.read('one'))?.mod_revision);
  await using watch = await watchAcknowledgements(inject('etcdUrl'), recordPrefix, from);
  const isThere = () =>
    waitUntil(soon('an acknowledgement'), () => (watch.last(keys.prefix)?.revision ?? 0) > 0 || '');
  const isGone = (withinMs: number) =>
    waitUntil({ expected: 'no acknowledgement', withinMs, everyMs: 5 }, () => {
      const there = [...watch.there().keys()];
      return there.length === 0 || there.join();
    });
  await isThere();
  expect(await balancer.stop()).toEqual({ code: 0, signal: null });
  // By now etcd has been told; a watch may hear of it a moment later.
  expect(await isGone(1000)).toBeLessThan(300);

  await balancer.start();
  await isThere();
  using stalls = measureStalls();
  await balancer.kill();
  expect(await isGone(4 * ttlMs)).toBeLessThan(ttlMs + expiryLookMs + stalls.totalMs + 50);
  expect(watch.changes.filter(({ said }) => said === undefined)).toHaveLength(2);
});

test('etcd wiped: it is written anew, with revisions of the new store only', async () => {
  await using etcd = await startEtcd();
  await using backend = await startNamedBackend('one');
  const backends = { one: backend.address };
  await using world = await startServedSite({
    ...{ etcdUrl: etcd.url, backends, flags: { ttl: `${ttlMs}ms`, hold: '1s' } },
  });
  const { keys, recordPrefix, balancer } = world;
  {
    // The store before has more revisions than the new one will have.
    await using writer = openEtcdWriter([etcd.url]);
    for (let n = 0; n < 100; n += 1) await writer.write([`/elsewhere/${n}`, `${n}`]);
    await using watch = await watchAcknowledgements(etcd.url, recordPrefix, 1);
    const at = await writer.write([keys.key('two'), '127.0.0.1:9']);
    await watch.until(soon('the old store'), keys.prefix, ({ revision }) => revision === at);
  }
  await etcd.stop();
  await etcd.wipe();
  await etcd.start();
  await using watch = await watchAcknowledgements(etcd.url, recordPrefix, 1);
  await watch.until(soon('a new one'), keys.prefix, () => true);
  await using writer = openEtcdWriter([etcd.url]);
  const at = await writer.write(
    [keys.key('one'), backend.address],
    [keys.key('two'), '127.0.0.1:9'],
  );
  await watch.until(soon('the new store'), keys.prefix, ({ revision }) => revision >= at);
  const ahead = watch.changes.filter(({ said, revision }) => (said?.revision ?? 0) >= revision);
  expect(ahead).toEqual([]);
  expect(balancer.log.map(({ msg }) => msg).join('\n')).toContain('etcd was wiped or restored');
}, 60_000);

test('etcd wiped: while a backend of the store before is held, nothing of the new one is said', async () => {
  await using etcd = await startEtcd();
  await using gone = await startNamedBackend('gone');
  await using comes = await startNamedBackend('comes');
  await using world = await startServedSite({
    ...{
      etcdUrl: etcd.url,
      backends: { gone: gone.address },
      flags: { ttl: `${ttlMs}ms`, hold: '3s' },
    },
  });
  const { keys, recordPrefix, site, balancer } = world;
  {
    await using writer = openEtcdWriter([etcd.url]);
    for (let n = 0; n < 100; n += 1) await writer.write([`/elsewhere/${n}`, `${n}`]);
  }
  await etcd.stop();
  await etcd.wipe();
  await etcd.start();
  await using watch = await watchAcknowledgements(etcd.url, recordPrefix, 1);
  await using writer = openEtcdWriter([etcd.url]);
  await writer.write([keys.key('comes'), comes.address]);
  await untilConfirmed(balancer, 'both served', ({ backends }) =>
    ['in pool', 'held'].every((one) => backends.some(({ state }) => state === one)),
  );
  expect((await site.upstream()).join(' ')).toContain(gone.address);
  // That one has no key shows in nothing that nginx serves: no change of this store does, as a whole.
  const held = { expected: 'the end of the hold', withinMs: 15_000 };
  await watch.until(held, keys.prefix, ({ revision }) => revision > 0);
  expect((await site.upstream()).join(' ')).not.toContain(gone.address);
  expect(await site.upstream()).toHaveLength(1);
}, 60_000);
