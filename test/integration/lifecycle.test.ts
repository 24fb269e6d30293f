/**
 * The commands as processes: how they come, what they leave behind, how they go.
 */
import { expect, inject, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { type Flags, startBalancer, startWatchdog } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { shortCall } from '../../src/registry/etcd/endpoints.ts';
import { type Keys, openKeys } from '../support/keys.ts';
import { makeNginxSite, untilConfirmed } from '../support/nginx-site.ts';
import { measureStalls } from '../support/stalls.ts';

/** The shortest lease that etcd grants, and the pace that it takes. */
const paced: Flags = {
  ...{ ttl: '2s', interval: '100ms', 'fast-interval': '50ms', timeout: '200ms', fall: 1 },
  'start-grace': '0s',
};
const ttlMs = 2000;
const drainTimeoutMs = 1000;
/** For the process itself to end. */
const endMs = 300;

interface Watch {
  readonly address: string;
  readonly etcdUrl?: string;
  readonly flags?: Flags;
}

async function startWatch(keys: Keys, { address, etcdUrl = inject('etcdUrl'), flags }: Watch) {
  const watchdog = await startWatchdog({
    ...paced,
    ...{ etcd: etcdUrl, key: keys.key('apache'), address },
    ...flags,
  });
  return watchdog;
}

type Watchdog = Awaited<ReturnType<typeof startWatch>>;

const untilRegistered = (watchdog: Watchdog) =>
  waitUntil({ expected: 'the key to be held', withinMs: 5000 }, async () => {
    const { registered, registration } = await watchdog.status();
    return registered || registration;
  });

test('the value is the address and nothing else, as confd reads it', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using apache = await startApache();
  await using watchdog = await startWatch(keys, apache);
  await untilRegistered(watchdog);
  const held = await keys.read('apache');
  expect(held?.value).toEqual(Buffer.from(apache.address));
  expect(held?.lease).not.toBe('0');
});

test('SIGTERM: the key goes first, then the watchdog, with exit status 0', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using apache = await startApache();
  // So long it serves on for those who read the keys and tell nobody.
  const graceMs = 1500;
  await using watchdog = await startWatch(keys, {
    ...apache,
    flags: { 'drain-grace': `${graceMs}ms` },
  });
  await untilRegistered(watchdog);
  const sentAt = performance.now();
  const ended = watchdog.stop();
  // Long before its lease would have ended.
  await waitUntil({ expected: 'no key', withinMs: 1000 }, async () =>
    (await keys.read('apache')) ? 'the key' : true,
  );
  expect(watchdog.pid).toBeDefined();
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - sentAt).toBeGreaterThan(graceMs);
  expect(await keys.read('apache')).toBeUndefined();
  expect(watchdog.log.at(-1)?.msg).toBe('drained: no balancer is known, and the grace is over');
});

test('SIGTERM while etcd is frozen: it ends in time, and says that the key is still there', async () => {
  await using etcd = await startEtcd();
  using keys = await openKeys(etcd.url);
  await using apache = await startApache();
  await using watchdog = await startWatch(keys, {
    ...{ ...apache, etcdUrl: etcd.url },
    flags: { 'drain-timeout': `${drainTimeoutMs}ms` },
  });
  await untilRegistered(watchdog);
  await etcd.freeze();
  using stalls = measureStalls();
  const sentAt = performance.now();
  expect(await watchdog.stop()).toEqual({ code: 0, signal: null });
  // One last call is made when nobody is waited for any more.
  const withinMs = drainTimeoutMs + shortCall.budgetMs + stalls.totalMs + endMs;
  expect(performance.now() - sentAt).toBeLessThan(withinMs);
  const late = watchdog.log.find(({ msg }) => msg.startsWith('not drained: '));
  expect(late).toMatchObject({
    ...{ level: 'warn', by: 'shutdown', confirmed: [] },
    missing: ['etcd: the key is not known to be gone'],
  });
  expect(watchdog.log.at(-1)).toMatchObject({
    level: 'warn',
    msg: 'key not removed: it goes with its lease',
  });
  etcd.resume();
});

test('a second signal ends it at once, although etcd is frozen', async () => {
  await using etcd = await startEtcd();
  using keys = await openKeys(etcd.url);
  await using apache = await startApache();
  await using watchdog = await startWatch(keys, { ...apache, etcdUrl: etcd.url });
  await untilRegistered(watchdog);
  await etcd.freeze();
  const ended = watchdog.ended();
  signal(watchdog.pid);
  await expectRunning(watchdog, 300);
  const sentAt = performance.now();
  signal(watchdog.pid);
  expect(await ended).toEqual({ code: 143, signal: null });
  expect(performance.now() - sentAt).toBeLessThan(1000);
  etcd.resume();
});

test('an apache that is down from the start: its key is never written', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  const address = `127.0.0.1:${await freePort()}`;
  await using watchdog = await startWatch(keys, { address });
  await expectRunning(watchdog, 1000);
  expect(await watchdog.status()).toMatchObject({
    ...{ state: 'down', registered: false, registration: 'not held: down' },
    lastProbe: { passed: false, reason: 'connection refused' },
  });
  expect(await watchdog.stop()).toEqual({ code: 0, signal: null });
  expect(await keys.history()).toEqual([]);
});

test('a watchdog killed and started again at once: the key is never gone', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using apache = await startApache();
  await using watchdog = await startWatch(keys, apache);
  await untilRegistered(watchdog);
  const before = await keys.read('apache');
  await watchdog.kill();
  await watchdog.start();
  await untilRegistered(watchdog);
  // The lease of the first would have ended by now, and the key with it.
  await expectRunning(watchdog, ttlMs + 1000);

  const after = await keys.read('apache');
  expect(after?.lease).not.toBe(before?.lease);
  expect(after?.create_revision).toBe(before?.create_revision);
  const { address } = apache;
  const put = { kind: 'put', name: 'apache', value: address };
  expect(await keys.history()).toEqual([put, put]);
});

test('SIGTERM to the balancer: exit status 0, and nginx goes on as it was', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using site = await makeNginxSite(inject('etcdUrl'), keys.prefix);
  await using balancer = await startBalancer(site.flags);
  const nginx = await site.startNginx();
  const { generation } = await untilConfirmed(balancer, 'an empty pool', () => true);
  expect(await balancer.stop()).toEqual({ code: 0, signal: null });
  expect([await site.served(), nginx.pid]).toEqual([generation.wanted, expect.any(Number)]);
});

function signal(pid: number | undefined): void {
  if (pid === undefined) throw new Error('it does not run');
  process.kill(pid, 'SIGTERM');
}

async function expectRunning(watchdog: Watchdog, forMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, forMs));
  expect(watchdog.pid).toBeDefined();
}
