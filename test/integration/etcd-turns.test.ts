/**
 * Endpoints in turn: a stream that fails moves on to the next one, once, and never away from one
 * that the other calls have moved on to already.
 */
import { lookup } from 'node:dns';
import { createServer, type LookupFunction } from 'node:net';
import { expect, inject, test } from 'vitest';
import { freePort } from '../../scripts/parts/ports.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { EtcdEndpoints } from '../../src/registry/etcd/endpoints.ts';
import { etcdKeys } from '../../src/registry/etcd/keys.ts';

const handlers = { onReady: () => {}, onEvents: () => {} };
const enough = new Error('enough');

const nobody = 'nobody.invalid';

/** As the system's would, without asking anybody; the etcd of a container has a name that is known. */
const nobodyUnknown: LookupFunction = (name, options, callback) => {
  if (name !== nobody) return lookup(name, options, callback);
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
  setImmediate(() => callback(error, []));
};

/** Begins with the first endpoint. */
function openTwo(first: string) {
  const urls = [first, inject('etcdUrl')];
  const endpoints = new EtcdEndpoints(urls, systemClock, () => 0, { lookup: nobodyUnknown });
  const keys = etcdKeys(endpoints, systemClock);
  const stop = new AbortController();
  return {
    keys,
    signal: stop.signal,
    /** Whether a watch that is opened now is confirmed. */
    confirms: async () => {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const watch = keys.watch(
        '/turns',
        1,
        { ...handlers, onReady: () => resolve(true) },
        stop.signal,
      );
      watch.catch(() => resolve(false));
      return await promise;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(enough);
      await endpoints[Symbol.asyncDispose]();
    },
  };
}

test('a name that is not known: the next watch goes to the other endpoint', async () => {
  await using two = openTwo(`http://${nobody}:2379`);
  expect(await two.confirms()).toBe(false);
  expect(await two.confirms()).toBe(true);
});

test('where nothing listens: the next watch goes to the other endpoint', async () => {
  await using two = openTwo(`http://127.0.0.1:${await freePort()}`);
  expect(await two.confirms()).toBe(false);
  expect(await two.confirms()).toBe(true);
});

test('a watch that ends late does not lead away from where a listing has moved on to', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const at = silent.address();
  const port = typeof at === 'object' && at ? at.port : 0;
  try {
    await using two = openTwo(`http://127.0.0.1:${port}`);
    // It hangs until its time is up; the listing gives up sooner, and moves on.
    const hanging = two.confirms();
    await two.keys.list('/turns', two.signal);
    expect(await hanging).toBe(false);
    expect(await two.confirms()).toBe(true);
  } finally {
    silent.close();
  }
});
