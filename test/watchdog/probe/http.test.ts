import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { regexMatch, textMatch } from '../../../src/watchdog/probe/body-match.ts';
import { deadUrl, httpServer, rawServer } from '../../support/local-server.ts';
import { httpTarget, open, probeOnce } from './probing.ts';

test.each([
  ...([200, 204, 304, 399] as const).map((status) => [status, true] as const),
  ...([401, 404, 500, 503] as const).map((status) => [status, false] as const),
])('status %i: passed is %s', async (status, passed) => {
  await using server = await httpServer((_request, response) => {
    response.writeHead(status, 'So It Is').end();
  });
  const failure = { kind: 'status', phase: 'headers', reason: `status ${status} So It Is` };
  expect(await probeOnce(httpTarget(server.url))).toMatchObject({
    passed,
    ...(passed ? {} : failure),
  });
});

test.each([
  [301, true],
  [302, false],
  [404, true],
  [200, false],
])('of the expected ranges, status %i: passed is %s', async (status, passed) => {
  await using server = await httpServer((_request, response) => {
    response.writeHead(status).end();
  });
  const statuses = [
    { from: 301, to: 301 },
    { from: 400, to: 499 },
  ];
  expect(await probeOnce(httpTarget(server.url, { statuses }))).toMatchObject({ passed });
});

test('the request is what was asked for, on a connection of its own', async () => {
  const seen: IncomingMessage[] = [];
  const ports = new Set<number | undefined>();
  await using server = await httpServer((request, response) => {
    seen.push(request);
    ports.add(request.socket.remotePort);
    response.end();
  });
  const rest = { method: 'OPTIONS', host: 'www.example.org', headers: ['X-A', 'b', 'X-A', 'c'] };
  using probing = open(httpTarget(`${server.url}a/b?c=d`, rest));
  await probing.probe();
  await probing.probe();
  expect(seen[0]).toMatchObject({
    ...{ method: 'OPTIONS', url: '/a/b?c=d' },
    headers: {
      ...{ host: 'www.example.org', 'x-a': 'b, c' },
      ...{ 'user-agent': 'rollcall', connection: 'close' },
    },
  });
  expect(ports.size).toBe(2);
});

test('a user agent of the operator’s own replaces ours', async () => {
  let agent: string | undefined;
  await using server = await httpServer(({ headers }, response) => {
    agent = headers['user-agent'];
    response.end();
  });
  await probeOnce(httpTarget(server.url, { headers: ['User-Agent', 'mine'] }));
  expect(agent).toBe('mine');
});

test('the evidence counts from the beginning of the probe', async () => {
  await using server = await httpServer((_request, response) => {
    setTimeout(() => response.end(), 50);
  });
  const beganAtMs = systemClock.now();
  const { startedAtMs, durationMs } = await probeOnce(httpTarget(server.url));
  expect(startedAtMs - beganAtMs).toBeLessThan(40);
  expect(durationMs).toBeGreaterThanOrEqual(49);
});

test('an apache that is not there is refused', async () => {
  expect(await probeOnce(httpTarget(await deadUrl()))).toMatchObject({
    ...{ passed: false, kind: 'refused', phase: 'connect', reason: 'connection refused' },
  });
});

test.each(['', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'])(
  'a connection that is closed after %j is no pass',
  async (text) => {
    await using server = await rawServer((socket) => socket.end(text));
    expect(await probeOnce(httpTarget(server.url))).toMatchObject({
      ...{ passed: false, kind: 'reset', phase: text ? 'body' : 'headers' },
      reason: 'connection closed before the whole answer',
    });
  },
);

test('a connection that is reset says so', async () => {
  await using server = await rawServer((socket) => {
    socket.on('data', () => socket.resetAndDestroy());
  });
  expect(await probeOnce(httpTarget(server.url))).toMatchObject({
    ...{ kind: 'reset', phase: 'headers', reason: 'connection reset by peer' },
  });
});

test('an answer that ends with its connection is whole', async () => {
  await using server = await rawServer((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nready'));
  const body = textMatch('ready');
  expect(await probeOnce(httpTarget(server.url, { body }))).toMatchObject({ passed: true });
});

test('what does not speak HTTP is no pass', async () => {
  await using server = await rawServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
  expect(await probeOnce(httpTarget(server.url))).toMatchObject({
    ...{ passed: false, kind: 'other', reason: expect.stringContaining('no proper HTTP answer') },
  });
});

const serving = (text: string) => httpServer((_request, response) => response.end(text));

describe('the body', () => {
  const page = 'all systems: ready\n';

  test.each([
    [textMatch('ready'), true, ''],
    [textMatch('Ready'), false, 'body does not contain "Ready" in all of its 19 bytes'],
    [regexMatch('systems: (ready|up)\\s'), true, ''],
    [regexMatch('^ready'), false, 'body does not match /^ready/ in all of its 19 bytes'],
  ])('%o: passed is %s', async (body, passed, reason) => {
    await using server = await serving(page);
    const failure = { kind: 'body', phase: 'body', reason };
    expect(await probeOnce(httpTarget(server.url, { body }))).toMatchObject({
      passed,
      ...(passed ? {} : failure),
    });
  });

  test('a match across the pieces that it comes in', async () => {
    await using server = await httpServer((_request, response) => {
      response.write('all systems: rea');
      setTimeout(() => response.end('dy'), 20);
    });
    const target = httpTarget(server.url, { body: textMatch('ready') });
    expect(await probeOnce(target)).toMatchObject({ passed: true });
  });

  test.each([
    [12, true],
    [11, false],
  ])('is looked at up to its limit: of %i bytes passed is %s', async (bodyLimitBytes, passed) => {
    await using server = await serving('0123456ready and much more');
    const target = httpTarget(server.url, { body: textMatch('ready'), bodyLimitBytes });
    const reason = `body does not contain "ready" in its first ${bodyLimitBytes} bytes`;
    expect(await probeOnce(target)).toMatchObject({
      passed,
      ...(passed ? {} : { kind: 'body', reason }),
    });
  });

  test('that breaks off after what was looked for is no pass', async () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nready';
    await using server = await rawServer((socket) => socket.end(text));
    const target = httpTarget(server.url, { body: textMatch('ready') });
    expect(await probeOnce(target)).toMatchObject({ passed: false, kind: 'reset' });
  });
});
