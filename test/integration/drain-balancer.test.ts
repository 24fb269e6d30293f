/**
 * What a balancer makes of drains, as watchdogs and operators write them: it acknowledges them soon,
 * however many there are and whether or not a key went for them, and what it has acknowledged stays
 * out of nginx.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { drainOrderKey } from '../../src/registry/drain-order.ts';
import { recordKey } from '../../src/registry/record.ts';
import { watchAcknowledgements } from '../support/acknowledgement-watch.ts';
import { recordOf } from '../support/builders.ts';
import { openEtcdClient } from '../support/etcd-client.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { startNamedBackend } from '../support/named-backend.ts';
import { type ServedPlan, startServedSite } from '../support/served-site.ts';
import { measureStalls } from '../support/stalls.ts';

/** A check, a reload, its confirmation and the write. */
const promptMs = 1500;
/** A wait for the watch, a listing, a turn of the loop and the write. */
const askedMs = 1000;
const windowMs = 2000;

const drain = { by: 'operator', since: '2026-01-01T00:00:00.000Z' };

const revisionOf = ({ header }: { readonly header: { readonly revision: string } }) =>
  Number(header.revision);

/** Three backends with names, a balancer on them and the acknowledgements that it writes. */
async function startThree(flags: ServedPlan['flags'] = {}) {
  await using stack = new AsyncDisposableStack();
  const backends: Record<string, string> = {};
  for (const name of ['one', 'two', 'three']) {
    backends[name] = stack.use(await startNamedBackend(name)).address;
  }
  const world = stack.use(await startServedSite({ backends, flags }));
  const { keys, recordPrefix, site, balancer } = world;
  const from = Number((await keys.read('one'))?.mod_revision);
  const watch = stack.use(await watchAcknowledgements(inject('etcdUrl'), recordPrefix, from));
  const writer = stack.use(openEtcdWriter([inject('etcdUrl')]));
  const { etcd } = stack.use(openEtcdClient(inject('etcdUrl')));
  const lease = etcd.lease(30);
  stack.defer(() => lease.revoke());
  const leaseId = await lease.grant();
  const record = (name: string) =>
    etcd
      .put(recordKey(recordPrefix, keys.key(name)))
      .value(JSON.stringify(recordOf({ address: backends[name] ?? '', drain })))
      .lease(leaseId);
  await watch.until(
    { expected: 'a first acknowledgement', withinMs: 5000 },
    keys.prefix,
    ({ revision }) => revision > 0,
  );
  const owned = stack.move();
  return {
    ...{ ...world, backends, watch, writer },
    /** As its watchdog does: the key goes and the record comes in one transaction. @returns when. */
    drained: async (name: string) =>
      revisionOf(
        await etcd
          .if(keys.key(name), 'Create', '!=', 0)
          .then(etcd.delete().key(keys.key(name)), record(name))
          .commit(),
      ),
    /** The record alone. @returns when. */
    recorded: async (name: string) => revisionOf(await record(name).exec()),
    order: (name: string) =>
      writer.write([drainOrderKey(recordPrefix, keys.key(name)), '{"by":"joe@lb1"}']),
    /** @returns how long it took until that revision was acknowledged. */
    acknowledged: async (revision: number) => {
      using stalls = measureStalls();
      const startedAt = performance.now();
      const said = { expected: `revision ${revision} acknowledged`, withinMs: 8000 };
      await watch.until(said, keys.prefix, (one) => one.revision >= revision);
      return performance.now() - startedAt - stalls.totalMs;
    },
    isServed: async (name: string) =>
      (await site.upstream()).join(' ').includes(backends[name] ?? 'nobody'),
    stateOf: async (name: string) =>
      (await balancer.status()).backends.find(({ key }) => key === keys.key(name)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('two of three drained within a second: each is acknowledged promptly, and neither is held', async () => {
  await using world = await startThree();
  const first = await world.drained('one');
  await sleep(300);
  const second = await world.drained('two');
  expect(await world.acknowledged(first)).toBeLessThan(promptMs);
  expect(await world.acknowledged(second)).toBeLessThan(promptMs);
  expect([await world.isServed('one'), await world.isServed('two')]).toEqual([false, false]);
  expect(await world.stateOf('one')).toMatchObject({
    ...{ state: 'drained', address: world.backends['one'] },
    reason: `drained by operator since ${drain.since}`,
  });
  const told = world.balancer.log.filter(({ msg }) => msg.startsWith('backend drained'));
  expect(told).toHaveLength(2);
  expect(world.balancer.log.filter(({ msg }) => msg.includes('held'))).toEqual([]);
  const name = 'rollcall_pool_backends{service="backend",state="drained"}';
  expect(await world.metric(name)).toBe(2);
});

test('a loss that nobody explains leaves nginx at once, and is acknowledged after the window', async () => {
  await using world = await startThree();
  const goneAt = await world.writer.write([world.keys.key('one'), undefined]);
  using stalls = measureStalls();
  const startedAt = performance.now();
  await waitUntil({ expected: 'it out of nginx', withinMs: 5000 }, async () => {
    return !(await world.isServed('one')) || 'served';
  });
  expect(performance.now() - startedAt).toBeLessThan(1000 + stalls.totalMs);
  expect(world.watch.last(world.keys.prefix)?.revision).toBeLessThan(goneAt);
  await world.acknowledged(goneAt);
  const tookMs = performance.now() - startedAt;
  expect(tookMs).toBeGreaterThan(windowMs - 100);
  // One tick, and the write.
  expect(tookMs).toBeLessThan(windowMs + 1000 + stalls.totalMs);
});

test('with nobody ever held, it is acknowledged promptly', async () => {
  await using world = await startThree({ 'hold-above': '100%' });
  const goneAt = await world.writer.write([world.keys.key('one'), undefined]);
  expect(await world.acknowledged(goneAt)).toBeLessThan(promptMs);
});

test('a drain of a key that is gone already is acknowledged soon, by record and by order', async () => {
  await using world = await startThree();
  const goneAt = await world.writer.write([world.keys.key('one'), undefined]);
  await world.acknowledged(goneAt);
  const reloads = world.balancer.log.filter(({ msg }) => msg === 'pool changed').length;
  expect(await world.acknowledged(await world.recorded('one'))).toBeLessThan(askedMs);
  expect(await world.acknowledged(await world.order('two-that-never-was'))).toBeLessThan(askedMs);
  const after = world.balancer.log.filter(({ msg }) => msg === 'pool changed').length;
  expect(after).toBe(reloads);
});

test('an order explains a loss, of however many', async () => {
  await using world = await startThree();
  const { keys, writer } = world;
  for (const name of ['one', 'two', 'three']) await world.order(name);
  const goneAt = await writer.write(
    ...['one', 'two', 'three'].map((name) => [keys.key(name), undefined] as const),
  );
  expect(await world.acknowledged(goneAt)).toBeLessThan(promptMs);
  expect(await world.site.upstream()).toEqual([]);
  expect(await world.stateOf('two')).toMatchObject({
    ...{ state: 'drained', reason: 'drained by joe@lb1', address: null },
  });
});
