/** What a real apache does with the connection that a probe leaves it. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Apache, startApache } from '../../scripts/parts/apache.ts';
import type { ApacheExtra } from '../../scripts/parts/apache-conf.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { makeTls } from '../support/tls.ts';
import { httpTarget, open, type Probing, probeOnce, tcpTarget } from '../watchdog/probe/probing.ts';

const pem = (file: string) => readFileSync(file, 'utf8');
const probing = ({ url }: Apache) => open(httpTarget(url, { keepIdle: true }));

const told = (by: Probing, times: number) =>
  waitUntil({ expected: `${times} idle closes`, withinMs: 10_000, everyMs: 2 }, () => {
    return by.idleCloses === times || `${by.idleCloses}`;
  });

/** @returns how many of so many probes passed. */
async function passes(by: Probing, times: number): Promise<number> {
  let passed = 0;
  for (let n = 0; n < times; n += 1) passed += Number((await by.probe()).passed);
  return passed;
}

/** Longer than apache's own patience in each of the tests below. */
const longerThanApacheMs = 2500;

describe.concurrent('an apache that says when it will close: we go first, and there is no alarm', () => {
  test.each<readonly [string, ApacheExtra]>([
    ['KeepAliveTimeout 1', { directives: ['KeepAliveTimeout 1'] }],
    ['MaxKeepAliveRequests 1', { directives: ['MaxKeepAliveRequests 1'] }],
    ['KeepAlive Off', { directives: ['KeepAlive Off'] }],
    [
      'Connection: close',
      { modules: ['headers'], directives: ['Header always set Connection close'] },
    ],
    [
      'MaxKeepAliveRequests 2 and mod_reqtimeout',
      {
        modules: ['reqtimeout'],
        directives: ['MaxKeepAliveRequests 2', 'KeepAliveTimeout 1', 'RequestReadTimeout header=1'],
      },
    ],
  ])('%s', async (_name, extra) => {
    await using apache = await startApache({ extra });
    using prober = probing(apache);
    expect(await passes(prober, 200)).toBe(200);
    await sleep(longerThanApacheMs);
    expect(await passes(prober, 1)).toBe(1);
    expect(prober.idleCloses).toBe(0);
  });
});

describe('an apache that closes without a word: one alarm, and no failed probe', () => {
  test('mod_reqtimeout, on a connection that never asked', async () => {
    await using apache = await startApache({
      extra: {
        modules: ['reqtimeout'],
        // Else the kernel keeps from apache, and apache's death from us, who has not asked yet.
        directives: ['RequestReadTimeout header=1', 'AcceptFilter http none'],
      },
    });
    using prober = open(tcpTarget(apache.url, { keepIdle: true }));
    expect(await passes(prober, 1)).toBe(1);
    await told(prober, 1);
  });

  test('apachectl graceful', async () => {
    await using apache = await startApache({ extra: { directives: ['KeepAliveTimeout 60'] } });
    using prober = probing(apache);
    expect(await passes(prober, 1)).toBe(1);
    process.kill(apache.pid ?? 0, 'SIGUSR1');
    await told(prober, 1);
    expect(await passes(prober, 1)).toBe(1);
  });
});

test('kill -9 is told within milliseconds, and the next probe is refused', async () => {
  await using apache = await startApache({ extra: { directives: ['KeepAliveTimeout 60'] } });
  using prober = probing(apache);
  expect(await passes(prober, 3)).toBe(3);
  const killedAtMs = performance.now();
  const killed = apache.kill();
  await told(prober, 1);
  // Milliseconds; what else the machine has to do may come on top.
  expect(performance.now() - killedAtMs).toBeLessThan(500);
  await killed;
  expect(await prober.probe()).toMatchObject({
    ...{ passed: false, kind: 'refused', reason: 'connection refused' },
  });
  expect(prober.idleCloses).toBe(1);
});

test('a frozen apache says nothing, and the probe is out of time', async () => {
  await using apache = await startApache();
  using prober = open(httpTarget(apache.url, { keepIdle: true, timeoutMs: 300 }));
  expect(await passes(prober, 1)).toBe(1);
  await apache.freeze();
  expect(await prober.probe()).toMatchObject({ passed: false, kind: 'timeout', phase: 'headers' });
  expect(prober.idleCloses).toBe(0);
  apache.resume();
});

test('on prefork with one worker left the idle connection does not stand in the next probe’s way', async () => {
  await using apache = await startApache({
    extra: { mpm: 'prefork', directives: ['MaxRequestWorkers 1', 'KeepAliveTimeout 60'] },
  });
  using prober = open(httpTarget(apache.url, { keepIdle: true, timeoutMs: 3000 }));
  expect(await passes(prober, 200)).toBe(200);
});

test('500 is a status with its words', async () => {
  await using apache = await startApache();
  await apache.failing(true);
  expect(await probeOnce(httpTarget(apache.url))).toMatchObject({
    ...{ kind: 'status', phase: 'headers', reason: 'status 500 Internal Server Error' },
  });
});

test('an apache that asks for a client certificate', async () => {
  await using tls = await makeTls();
  await using apache = await startApache({
    extra: {
      modules: ['socache_shmcb', 'ssl'],
      directives: [
        // The ready check speaks plain HTTP, and is answered 400.
        ...['SSLEngine on', `SSLCertificateFile ${tls.server.cert}`],
        ...[`SSLCertificateKeyFile ${tls.server.key}`, `SSLCACertificateFile ${tls.ca.cert}`],
        'SSLVerifyClient require',
      ],
    },
  });
  const url = apache.url.replace('http:', 'https:');
  const trust = { ca: pem(tls.ca.cert), insecure: false };
  expect(await probeOnce(httpTarget(url, { tls: trust }))).toMatchObject({
    ...{ passed: false, kind: 'tls', reason: expect.stringContaining('certificate required') },
  });
  const client = { cert: pem(tls.client.cert), key: pem(tls.client.key) };
  expect(await probeOnce(httpTarget(url, { tls: { ...trust, client } }))).toMatchObject({
    passed: true,
  });
});
