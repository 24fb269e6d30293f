/**
 * What a balancer acknowledges in etcd: it says what nginx was seen to serve, changes with that and
 * never else, and is put right when somebody else changes it.
 */
import { expect, inject, test } from 'vitest';
import { freePort } from '../../scripts/parts/ports.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { acknowledgementKey } from '../../src/registry/acknowledgement.ts';
import { shortCall } from '../../src/registry/etcd/endpoints.ts';
import {
  type AcknowledgementWatch,
  watchAcknowledgements,
} from '../support/acknowledgement-watch.ts';
import { openEtcdClient } from '../support/etcd-client.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { holdRequest, startNamedBackend } from '../support/named-backend.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { type ServedPlan, startServedSite } from '../support/served-site.ts';
import { measureStalls } from '../support/stalls.ts';

const soon = (expected: string) => ({ expected, withinMs: 5000 });

/** Something is confirmed, and nothing older lives. */
const atRest = (watch: AcknowledgementWatch, prefix: string) =>
  waitUntil(soon('rest'), () => {
    const said = watch.last(prefix);
    return (said !== undefined && said.revision > 0 && said.olderLive === false) || 'none yet';
  });

/** A site and all that its balancer has acknowledged since before nginx ran. */
async function acknowledged(plan: ServedPlan = {}) {
  await using stack = new AsyncDisposableStack();
  const etcdUrl = plan.etcdUrl ?? inject('etcdUrl');
  let watch: AcknowledgementWatch | undefined;
  const served = stack.use(
    await startServedSite({
      ...plan,
      beforeNginx: async ({ keys, recordPrefix }) => {
        const from = Number((await keys.read('one'))?.mod_revision ?? 1);
        watch = stack.use(await watchAcknowledgements(etcdUrl, recordPrefix, from));
        await watch.until(soon('a first acknowledgement'), keys.prefix, () => true);
      },
    }),
  );
  if (!watch) throw new Error('nobody watched');
  const { keys } = served;
  const revisionOf = async (name: string) => Number((await keys.read(name))?.mod_revision);
  const owned = stack.move();
  return {
    ...{ ...served, etcdUrl, watch, revisionOf },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('before nginx runs it is there with revision 0, on a lease; then with that of the last change', async () => {
  await using world = await acknowledged({ backends: { one: '127.0.0.1:9' } });
  const { keys, watch, revisionOf, balancer, recordPrefix, site } = world;
  const [first] = watch.changes;
  expect(first?.said).toMatchObject({ revision: 0, generation: null, service: 'backend' });
  const { instance = '', pid, admin } = first?.said ?? {};
  expect(first?.key).toBe(acknowledgementKey(recordPrefix, keys.prefix, instance));
  expect(first?.leaseId).not.toBe('0');
  expect([pid, admin]).toEqual([balancer.pid, new URL(balancer.adminUrl).host]);

  const one = await revisionOf('one');
  await watch.until(soon('the first pool'), keys.prefix, ({ revision }) => revision >= one);
  await keys.put('two', '127.0.0.1:10');
  const two = await revisionOf('two');
  await watch.until(soon('the second'), keys.prefix, ({ revision }) => revision === two);
  await atRest(watch, keys.prefix);
  const { generation } = await balancer.status();
  expect(watch.last(keys.prefix)).toMatchObject({
    ...{ instance, revision: two, generation: generation.wanted, olderLive: false },
  });
  expect(await site.served()).toBe(generation.wanted);
  expect(new Set(watch.changes.map(({ key }) => key)).size).toBe(1);
});

test('changes elsewhere in etcd, listings and renewals of the lease write nothing', async () => {
  await using world = await acknowledged({
    ...{ backends: { one: '127.0.0.1:9' }, flags: { ttl: '2s' } },
  });
  const { keys, watch, etcdUrl, balancer, recordPrefix } = world;
  await using writer = openEtcdWriter([etcdUrl]);
  await atRest(watch, keys.prefix);
  const before = watch.changes.length;

  const seenAges: number[] = [];
  const relists = () => seenAges.filter((age, n) => age < (seenAges[n - 1] ?? 0)).length;
  const startedAt = performance.now();
  let written = 0;
  await waitUntil({ expected: 'two more listings', withinMs: 15_000 }, async () => {
    written = await writer.write(
      [`${keys.prefix}-other/one`, `127.0.0.1:${10 + seenAges.length}`],
      [`${recordPrefix}/watchdogs${keys.prefix}-other/one`, `${seenAges.length}`],
      [`${recordPrefix}/balancers${keys.prefix}-other/somebody`, `${seenAges.length}`],
    );
    seenAges.push((await balancer.status()).etcd.dataAgeMs ?? 0);
    return relists() >= 2 || `${relists()}`;
  });
  expect(performance.now() - startedAt).toBeGreaterThan(3000);
  const ours = watch.changes.slice(before).filter(({ key }) => !key.includes('-other/'));
  expect(ours).toEqual([]);
  expect(watch.last(keys.prefix)?.revision).toBeLessThan(written);
});

test('an older worker that has a request to finish is told of, until it has', async () => {
  await using backend = await startNamedBackend('one');
  await using world = await acknowledged({ backends: { one: backend.address } });
  const { keys, watch, site, revisionOf } = world;
  const { answered } = await holdRequest(site.url, backend);
  await keys.put('two', '127.0.0.1:9');
  const two = await revisionOf('two');
  const isOf = (older: boolean) =>
    waitUntil(soon(`older: ${older}`), () => {
      const said = watch.last(keys.prefix);
      return (said?.revision === two && said.olderLive === older) || JSON.stringify(said);
    });
  await isOf(true);
  backend.release();
  await answered;
  await isOf(false);
  // The revision is said while the older worker lives: it takes no new request.
  const ofTwo = watch.changes.filter(({ said }) => said?.revision === two);
  expect(ofTwo.map(({ said }) => said?.olderLive)).toEqual([true, false]);
});

test('deleted or overwritten by hand, it is written again within a third of its TTL and a call', async () => {
  await using world = await acknowledged({
    ...{ backends: { one: '127.0.0.1:9' }, flags: { ttl: '2s' } },
  });
  const { keys, watch, etcdUrl, balancer } = world;
  using client = openEtcdClient(etcdUrl);
  await atRest(watch, keys.prefix);
  const before = watch.changes.at(-1);
  const key = before?.key ?? '';
  const byHand = {
    deleted: () => client.etcd.delete().key(key),
    overwritten: () => client.etcd.put(key).value('nonsense'),
    'overwritten with its own text': () => client.etcd.put(key).value(JSON.stringify(before?.said)),
  };
  for (const [what, change] of Object.entries(byHand)) {
    using stalls = measureStalls();
    const heard = watch.changes.length;
    await change();
    const tookMs = await waitUntil(soon(`it back, ${what}`), () => {
      const now = watch.changes.slice(heard + 1).at(-1);
      return (now?.leaseId === before?.leaseId && now?.said !== undefined) || JSON.stringify(now);
    });
    expect(tookMs).toBeLessThan(2000 / 3 + shortCall.budgetMs + stalls.totalMs);
    expect(watch.last(keys.prefix)).toEqual(before?.said);
  }
  const told = balancer.log.filter(({ msg }) => msg.includes('was gone or changed'));
  expect(told).toHaveLength(3);
  expect(await world.metric('rollcall_acknowledgements_total{result="repaired"}')).toBe(3);
});

test('two services: two keys, each with the revision of its own prefix', async () => {
  const [web, api] = [`/web-${await freePort()}`, `/api-${await freePort()}`];
  await using writer = openEtcdWriter([inject('etcdUrl')]);
  const webAt = await writer.write([`${web}/one`, '127.0.0.1:9']);
  await writer.write([`${api}/one`, '127.0.0.1:10']);
  await using world = await startServedSite({ flags: { service: `web=${web}\napi=${api}` } });
  await using watch = await watchAcknowledgements(inject('etcdUrl'), world.recordPrefix, webAt);
  const said = (prefix: string) => watch.last(prefix);
  await atRest(watch, web);
  await atRest(watch, api);
  expect([said(web)?.service, said(api)?.service]).toEqual(['web', 'api']);

  const ofWeb = said(web)?.revision;
  const apiAt = await writer.write([`${api}/two`, '127.0.0.1:11']);
  await watch.until(soon('the change of api'), api, ({ revision }) => revision === apiAt);
  await untilConfirmed(world.balancer, 'two of api', ({ backends }) => backends.length === 3);
  await waitUntil(
    soon('the same generation'),
    () => said(web)?.generation === said(api)?.generation || JSON.stringify(said(web)),
  );
  expect(said(web)).toEqual({ ...said(api), service: 'web', revision: ofWeb });
  expect(watch.there().size).toBe(2);
});
