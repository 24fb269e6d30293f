/**
 * What is acknowledged of losses: one that its watchdog has explained stays acknowledged whatever
 * follows; one that nobody explained is not acknowledged while it may turn out to be one of many.
 */
import { expect, inject, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { recordKey } from '../../src/registry/record.ts';
import { watchAcknowledgements } from '../support/acknowledgement-watch.ts';
import { recordOf } from '../support/builders.ts';
import { openEtcdClient } from '../support/etcd-client.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { startNamedBackend } from '../support/named-backend.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { startServedSite } from '../support/served-site.ts';

/** Three backends with names, a balancer on them and the acknowledgements that it writes. */
async function startThree() {
  await using stack = new AsyncDisposableStack();
  const backends: Record<string, string> = {};
  for (const name of ['one', 'two', 'three']) {
    backends[name] = stack.use(await startNamedBackend(name)).address;
  }
  const world = stack.use(await startServedSite({ backends }));
  const watch = stack.use(await watchAcknowledgements(inject('etcdUrl'), world.recordPrefix));
  const writer = stack.use(openEtcdWriter([inject('etcdUrl')]));
  const acknowledged = (goneAt: number) => {
    const said = { expected: `revision ${goneAt} acknowledged`, withinMs: 1500 };
    return watch.until(said, world.keys.prefix, ({ revision }) => revision === goneAt);
  };
  const owned = stack.move();
  return {
    ...{ ...world, backends, watch, writer, acknowledged },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('a removal that is explained and acknowledged is not undone by the loss of another', async () => {
  await using world = await startThree();
  const { keys, site, balancer, recordPrefix, backends, watch, writer } = world;
  const key = keys.key('one');
  // As its watchdog does on a verdict: the key and the record in one transaction.
  using client = openEtcdClient(inject('etcdUrl'));
  const { etcd } = client;
  const lease = etcd.lease(10);
  const down = JSON.stringify(recordOf({ state: 'down' }));
  const { header } = await etcd
    .if(key, 'Create', '!=', 0)
    .then(
      etcd.delete().key(key),
      etcd
        .put(recordKey(recordPrefix, key))
        .value(down)
        .lease(await lease.grant()),
    )
    .commit();
  await world.acknowledged(Number(header.revision));
  const otherAt = await writer.write([keys.key('two'), undefined]);
  await untilConfirmed(balancer, 'the other one gone', (status) =>
    status.backends.every((one) => one.key !== keys.key('two')),
  );
  expect((await site.upstream()).join(' ')).not.toContain(backends['one']);
  expect(watch.last(keys.prefix)?.revision).toBeGreaterThanOrEqual(Number(header.revision));
  // That one nobody has explained, so it is said when its window is over.
  const said = { expected: 'both acknowledged', withinMs: 4000 };
  await watch.until(said, keys.prefix, ({ revision }) => revision >= otherAt);
  const revisions = watch.changes.map(({ said: one }) => one?.revision ?? 0);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
  await lease.revoke();
});

test('one that nobody explained may turn out to be one of many: before that is settled it is not said', async () => {
  await using world = await startThree();
  const { keys, site, balancer, backends, watch, writer } = world;
  const goneAt = await writer.write([keys.key('one'), undefined]);
  await waitUntil({ expected: 'it out of nginx', withinMs: 1500 }, async () => {
    return !(await site.upstream()).join(' ').includes(backends['one'] ?? '') || 'served';
  });
  await writer.write([keys.key('two'), undefined]);
  await untilConfirmed(balancer, 'both held', ({ backends: all }) => {
    return all.filter(({ state }) => state === 'held').length === 2;
  });
  expect((await site.upstream()).join(' ')).toContain(backends['one']);
  const said = watch.changes.map(({ said: one }) => one?.revision ?? 0);
  expect(said.filter((revision) => revision >= goneAt)).toEqual([]);
});
