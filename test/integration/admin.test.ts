/**
 * What the two commands tell about themselves over HTTP, to probes, to Prometheus and to people.
 */
import { hostname } from 'node:os';
import { expect, inject, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { startBalancer, startWatchdog } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { openKeys } from '../support/keys.ts';
import { makeNginxSite, untilConfirmed } from '../support/nginx-site.ts';

const ask = (adminUrl: string, path: string) => httpGet(`${adminUrl}${path}`, 1000);

async function statusOf(adminUrl: string, path: string): Promise<number> {
  return (await ask(adminUrl, path)).status;
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('the watchdog: ready while it holds the key, and not while its apache answers 500', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using apache = await startApache();
  await using watchdog = await startWatchdog({
    ...{ etcd: inject('etcdUrl'), key: keys.key('apache'), address: apache.address },
    ...{ interval: '100ms', 'fast-interval': '50ms' },
  });
  const { adminUrl } = watchdog;
  const turnsInto = (status: number) =>
    waitUntil({ expected: `/-/ready to turn into ${status}`, withinMs: 5000 }, async () => {
      const seen = await ask(adminUrl, '/-/ready');
      return seen.status === status || `${seen.status} ${seen.body}`;
    });
  await turnsInto(200);
  expect(await watchdog.status()).toEqual({
    ...{ key: keys.key('apache'), address: apache.address, value: apache.address, state: 'up' },
    ...{ instance: expect.stringMatching(/^[0-9a-f-]{36}$/), host: hostname(), reason: null },
    ...{ version: expect.any(String), recordKey: `/rollcall/watchdogs${keys.key('apache')}` },
    ...{ probe: apache.url, outlivesAtMostMs: expect.objectContaining({ unwatchedMs: 5500 }) },
    ...{ registered: true, registration: 'held', since: expect.stringMatching(isoTime) },
    // No balancer is known, so there is none to serve it and none to wait for.
    ...{ inRotation: true, servedBy: [], waitsFor: [], drain: null },
    lastProbe: {
      passed: true,
      durationMs: expect.any(Number),
      at: expect.stringMatching(isoTime),
    },
  });
  const metrics = await ask(adminUrl, '/metrics');
  expect(metrics.headers['content-type']).toContain('text/plain; version=0.0.4');
  expect(metrics.body).toMatch(/^rollcall_backend_state\{state="up"\} 1$/m);
  expect(metrics.body).toMatch(/^rollcall_lease_remaining_seconds [34]\.\d+$/m);

  await apache.failing(true);
  await turnsInto(503);
  expect((await ask(adminUrl, '/-/ready')).body).toBe('not held: down\n');
  expect(await statusOf(adminUrl, '/-/healthy')).toBe(200);
  expect(await watchdog.status()).toMatchObject({
    ...{ state: 'down', registered: false, registration: 'not held: down' },
    lastProbe: { passed: false, reason: expect.stringContaining('status 500') },
  });
  expect(await keys.read('apache')).toBeUndefined();
});

test('the balancer: ready once nginx serves what is wanted', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await keys.put('one', '127.0.0.1:20001');
  await using site = await makeNginxSite(inject('etcdUrl'), keys.prefix);
  await using balancer = await startBalancer(site.flags);
  const { adminUrl } = balancer;
  const without = { expected: '/-/ready to say that nginx is not there', withinMs: 5000 };
  await waitUntil(without, async () => {
    const { status, body } = await ask(adminUrl, '/-/ready');
    return (status === 503 && body.includes('nginx is not running')) || `${status} ${body}`;
  });
  await site.startNginx();
  const status = await untilConfirmed(balancer, 'one backend', () => true);

  expect(await ask(adminUrl, '/-/ready')).toMatchObject({ status: 200, body: 'ok\n' });
  const { wanted } = status.generation;
  expect(status).toMatchObject({
    generation: { wanted: await site.served(), onDisk: wanted, running: wanted },
    confirmed: true,
    backends: [{ key: keys.key('one'), address: '127.0.0.1:20001', state: 'in pool' }],
    services: [{ source: 'etcd', revision: { applied: expect.any(Number) } }],
    etcd: { connected: true, dataAgeMs: expect.any(Number) },
  });
  const { body } = await ask(adminUrl, '/metrics');
  expect(body).toMatch(/^rollcall_pool_backends\{service="backend",state="in_pool"\} 1$/m);
  expect(body).toMatch(/^rollcall_generation_confirmed 1$/m);
});

test('it tells and never does: GET only, four paths', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using watchdog = await startWatchdog({
    ...{ etcd: inject('etcdUrl'), key: keys.key('apache'), address: '127.0.0.1:9' },
  });
  const { adminUrl } = watchdog;
  expect(await ask(adminUrl, '/-/quit')).toMatchObject({
    status: 404,
    body: 'one of /metrics, /status, /-/healthy, /-/ready\n',
  });
  const posted = await fetch(`${adminUrl}/status`, {
    method: 'POST',
    signal: AbortSignal.timeout(1000),
  });
  expect(posted.status).toBe(405);
  expect(await statusOf(adminUrl, '/status?from=outside')).toBe(200);
  expect(await statusOf(adminUrl, '//status')).toBe(404);
});
