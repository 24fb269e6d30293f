/**
 * Several services behind one nginx: each request reaches the backends of its own, by host and by
 * path, and what befalls one service is no concern of the others.
 */
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { openEtcdClient } from '../support/etcd-client.ts';
import { openEtcdWriter } from '../support/etcd-writer.ts';
import { type NamedBackend, startNamedBackend } from '../support/named-backend.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { startServedSite } from '../support/served-site.ts';

/** Three services, and one that has no backend. */
async function startServices() {
  await using stack = new AsyncDisposableStack();
  const names = ['web1', 'web2', 'api1', 'shop1', 'shop2'];
  const backends: Record<string, NamedBackend> = {};
  for (const name of names) backends[name] = stack.use(await startNamedBackend(name));
  const writer = stack.use(openEtcdWriter([inject('etcdUrl')]));
  let prefix = '';
  const served = stack.use(
    await startServedSite({
      flags: async (_site, keys) => {
        prefix = keys.prefix;
        const key = (name: string) => `${prefix}/${name.slice(0, -1)}/${name}`;
        await writer.write(...names.map((name) => [key(name), backends[name]?.address] as const));
        return {
          service: [
            `web=${prefix}/web`,
            `api=${prefix}/api path=/api/ balance=least-conn`,
            `shop=${prefix}/shop host=shop.example.org`,
            `none=${prefix}/none path=/none/`,
          ].join('\n'),
          hold: '10s',
        };
      },
    }),
  );
  const { site } = served;
  const ask = async (host: string, path: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const options = { agent: false, headers: { host } };
    get(new URL(path, site.url), options, resolve).once('error', reject);
    const answer = await promise;
    const body = await text(answer);
    return answer.statusCode === 200 ? body : String(answer.statusCode);
  };
  const owned = stack.move();
  return {
    ...{ ...served, backends, writer, ask },
    key: (name: string) => `${prefix}/${name.slice(0, -1)}/${name}`,
    /** Everybody who answers there. */
    answerers: async (host: string, path: string) => {
      const seen = new Set<string>();
      // Each worker takes turns of its own.
      for (let n = 0; n < 16; n += 1) seen.add(await ask(host, path));
      return [...seen].toSorted();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('each request reaches its service by host and path, and one without backends is 503', async () => {
  await using world = await startServices();
  const { answerers, balancer, keys, writer, key, site } = world;
  expect(await answerers('www.example.org', '/')).toEqual(['web1', 'web2']);
  expect(await answerers('www.example.org', '/apis')).toEqual(['web1', 'web2']);
  expect(await answerers('www.example.org', '/api/users')).toEqual(['api1']);
  expect(await answerers('shop.example.org', '/')).toEqual(['shop1', 'shop2']);
  expect(await answerers('shop.example.org', '/api/')).toEqual(['shop1', 'shop2']);
  expect(await answerers('www.example.org', '/none/')).toEqual(['503']);

  const { services } = await balancer.status();
  expect(services.map(({ name, prefix }) => [name, prefix])).toEqual(
    ['web', 'api', 'shop', 'none'].map((name) => [name, `${keys.prefix}/${name}`]),
  );

  // One that goes is believed, be it the last.
  await writer.write([key('api1'), undefined]);
  await untilConfirmed(balancer, 'no api', ({ backends }) => backends.length === 4);
  expect(await answerers('www.example.org', '/api/')).toEqual(['503']);
  expect(await answerers('www.example.org', '/')).toEqual(['web1', 'web2']);
  await writer.write([`${keys.prefix}/none/one`, world.backends['api1']?.address]);
  await untilConfirmed(balancer, 'one of none', ({ backends }) => backends.length === 5);
  expect(await answerers('www.example.org', '/none/')).toEqual(['api1']);
  expect(await site.upstream()).toHaveLength(5);
});

test('a mass expiry holds the backends of its own service only; status and metrics tell which', async () => {
  await using world = await startServices();
  const { answerers, balancer, backends, writer, key, metric } = world;
  using client = openEtcdClient(inject('etcdUrl'));
  const lease = client.etcd.lease(60, { autoKeepAlive: false });
  for (const name of ['web1', 'web2']) {
    await lease.put(key(name)).value(backends[name]?.address ?? '');
  }
  await untilConfirmed(balancer, 'them', () => true);
  const appliedOf = async (name: string) =>
    (await balancer.status()).services.find((one) => one.name === name)?.revision.applied ?? -1;
  const webBefore = await appliedOf('web');
  await lease.revoke();
  const lostAt = await writer.write([key('shop1'), undefined]);
  const states = await untilConfirmed(balancer, 'web held, one of shop gone', (status) => {
    const of = (service: string) =>
      status.backends
        .filter((one) => one.service === service)
        .map(({ state }) => state)
        .join();
    return of('web') === 'held,held' && of('shop') === 'in pool' && of('api') === 'in pool';
  });
  expect(states.backends).toHaveLength(4);
  expect(await answerers('www.example.org', '/')).toEqual(['web1', 'web2']);
  expect(await answerers('shop.example.org', '/')).toEqual(['shop2']);
  // Nobody has explained that one: it counts when it cannot turn out to be one of many any more.
  await waitUntil({ expected: 'that of shop applied', withinMs: 4000 }, async () => {
    const applied = await appliedOf('shop');
    return applied === lostAt || String(applied);
  });
  expect(await appliedOf('web')).toBeLessThan(lostAt);
  expect(await appliedOf('web')).toBeGreaterThanOrEqual(webBefore);
  const inState = (service: string, state: string) =>
    metric(`rollcall_pool_backends{service="${service}",state="${state}"}`);
  expect([await inState('web', 'held'), await inState('web', 'in_pool')]).toEqual([2, 0]);
  expect([await inState('shop', 'held'), await inState('shop', 'in_pool')]).toEqual([0, 1]);
  expect([await inState('api', 'held'), await inState('api', 'in_pool')]).toEqual([0, 1]);
  expect(await metric('rollcall_revision_applied{service="shop"}')).toBe(lostAt);
});
