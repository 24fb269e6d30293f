import { expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { probe } from '../../src/watchdog/probe.ts';
import { deadUrl, httpServer, rawServer } from '../support/local-server.ts';
import { never } from '../support/virtual-clock.ts';

const probed = (url: string, timeoutMs = 2000) => probe({ url, timeoutMs }, systemClock, never);

test.each([
  ...([200, 204, 301, 304] as const).map((status) => [status, true] as const),
  ...([401, 404, 500, 503] as const).map((status) => [status, false] as const),
])('status %i: passed is %s', async (status, passed) => {
  await using server = await httpServer((_request, response) => {
    response.writeHead(status).end();
  });
  const failure = passed ? {} : { kind: 'status', reason: `status ${status}` };
  expect(await probed(server.url)).toMatchObject({ passed, ...failure });
});

test('the evidence counts from the beginning of the probe', async () => {
  await using server = await httpServer((_request, response) => {
    setTimeout(() => response.end(), 50);
  });
  const beganAtMs = systemClock.now();
  const { startedAtMs, durationMs } = await probed(server.url);
  expect(startedAtMs - beganAtMs).toBeLessThan(40);
  expect(durationMs).toBeGreaterThanOrEqual(49);
});

test('an apache that is not there is refused', async () => {
  expect(await probed(await deadUrl())).toMatchObject({
    ...{ passed: false, kind: 'refused', reason: 'connection refused' },
  });
});

test('an apache that accepts and is silent is out of time', async () => {
  await using server = await rawServer(() => {});
  expect(await probed(server.url, 80)).toMatchObject({
    ...{ passed: false, kind: 'timeout' },
    reason: 'timeout: no complete answer within 80 ms',
  });
});

test.each(['', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'])(
  'a connection that is closed after %j is no pass',
  async (text) => {
    await using server = await rawServer((socket) => socket.end(text));
    expect(await probed(server.url)).toMatchObject({ passed: false, kind: 'reset' });
  },
);

test('what does not speak HTTP is no pass', async () => {
  await using server = await rawServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
  expect(await probed(server.url)).toMatchObject({ passed: false, kind: 'other' });
});
