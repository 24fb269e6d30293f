/** Whatever a server does: the probe ends within its time, and memory does not grow with it. */
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { textMatch } from '../../../src/watchdog/probe/body-match.ts';
import { httpServer, rawServer } from '../../support/local-server.ts';
import { never } from '../../support/virtual-clock.ts';
import { httpTarget, open, probeOnce, tcpTarget } from './probing.ts';

const timeoutMs = 300;
/** What a machine with other work may add. */
const stallMs = 2000;

/** Says the first once and the second for as long as somebody listens. */
const forEver = (first: string, again: string) => (socket: Socket) => {
  const much = again.repeat(Math.ceil(16_384 / again.length));
  const pour = () => {
    while (!socket.destroyed && socket.write(much));
  };
  socket.write(first);
  socket.on('drain', pour);
  pour();
};

const dripping: RequestListener = (_request, response) => {
  const drip = setInterval(() => response.write('.'), 10);
  response.on('close', () => clearInterval(drip));
};

const inTime = async (probed: ReturnType<typeof probeOnce>) => {
  const result = await probed;
  expect(result.durationMs).toBeLessThan(timeoutMs + stallMs);
  return result;
};

describe('out of time, and in which phase', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';

  test.each([
    ['accepts and is silent', 'headers', () => {}],
    ['says half a header', 'headers', (socket: Socket) => socket.write(`${ok}Conte`)],
    ['says 103 for ever', 'headers', forEver('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')],
    [
      'sends half a body',
      'body',
      (socket: Socket) => socket.write(`${ok}Content-Length: 9\r\n\r\n.`),
    ],
    [
      'ends its chunks never',
      'body',
      forEver(`${ok}Transfer-Encoding: chunked\r\n\r\n`, `1;${'x'.repeat(9000)}`),
    ],
  ] as const)('a server that %s', async (_what, phase, connected) => {
    await using server = await rawServer((socket) => {
      socket.once('data', () => connected(socket));
    });
    const what = phase === 'body' ? 'complete answer' : 'answer';
    const result = await inTime(probeOnce(httpTarget(server.url, { timeoutMs })));
    expect(result).toMatchObject({
      ...{ passed: false, kind: 'timeout', phase },
      reason: `timeout: no ${what} within 300 ms (in ${phase})`,
    });
  });

  test('a body that drips does not stretch the deadline', async () => {
    await using server = await httpServer(dripping);
    const result = await inTime(probeOnce(httpTarget(server.url, { timeoutMs })));
    expect(result).toMatchObject({ passed: false, kind: 'timeout', phase: 'body' });
  });

  test('a redirect whose page has no end', async () => {
    const moved = 'HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 99999999999\r\n\r\n';
    await using server = await rawServer(forEver(moved, 'x'.repeat(65_536)));
    const target = httpTarget(server.url, { timeoutMs, redirects: 1 });
    expect(await inTime(probeOnce(target))).toMatchObject({ passed: false, kind: 'timeout' });
  });

  test('a handshake that is never answered', async () => {
    await using server = await rawServer(() => {});
    const url = server.url.replace('http:', 'https:');
    const target = httpTarget(url, { timeoutMs, tls: { insecure: false } });
    expect(await inTime(probeOnce(target))).toMatchObject({
      ...{ kind: 'timeout', phase: 'tls' },
      reason: 'timeout: no answer within 300 ms (in tls)',
    });
  });
});

test.each([
  ['headers without end', forEver('HTTP/1.1 200 OK\r\n', 'X-A: b\r\n'), 'larger than 16 KiB'],
  [
    'one header without end',
    forEver('HTTP/1.1 200 OK\r\nX: ', 'x'.repeat(999)),
    'larger than 16 KiB',
  ],
  [
    '100 Continue that nobody asked for',
    forEver('', 'HTTP/1.1 100 Continue\r\n\r\n'),
    'bad response',
  ],
  [
    'an upgrade that nobody asked for',
    forEver('HTTP/1.1 101 A\r\nUpgrade: b\r\nConnection: upgrade\r\n\r\n', 'c'),
    'bad upgrade',
  ],
])('%s: refused at once', async (_what, connected, words) => {
  await using server = await rawServer((socket) => {
    socket.once('data', () => connected(socket));
  });
  expect(await probeOnce(httpTarget(server.url))).toMatchObject({
    ...{ passed: false, kind: 'other', phase: 'headers' },
    reason: expect.stringContaining(words),
  });
});

test('a body of gigabytes costs its limit, and passes where nothing is looked for in it', async () => {
  let sent = 0;
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n';
  await using server = await rawServer((socket) => {
    socket.on('close', () => (sent += socket.bytesWritten));
    forEver(ok, 'x'.repeat(65_536))(socket);
  });
  const target = httpTarget(server.url, { keepIdle: true });
  using probing = open(target);
  const before = process.memoryUsage().rss;
  for (let n = 0; n < 100; n += 1) expect(await probing.probe()).toMatchObject({ passed: true });
  const body = textMatch('not there');
  expect(await probeOnce({ ...target, body })).toMatchObject({ kind: 'body' });
  // Both ends are in this process: the kernel's buffers fill up on the way.
  expect(sent).toBeLessThan(101 * 16 * 1024 * 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

test('whatever a server calls its status is one printable line', async () => {
  const words = `\u0007\u001b[31m\u00e9 <b>${'x'.repeat(5000)}`;
  await using server = await rawServer((socket) => {
    socket.end(Buffer.from(`HTTP/1.1 500 ${words}\r\n\r\n`, 'latin1'));
  });
  const result = await probeOnce(httpTarget(server.url));
  expect(result).toMatchObject({ passed: false, phase: 'headers' });
  expect(result.passed ? '' : result.reason).toMatch(/^[\x20-\x7e]{10,200}$/);
});

test.each(['http', 'tcp'] as const)('%s: an abort ends it at once', async (kind) => {
  await using server = await rawServer(() => {});
  // A lookup that never answers: nothing has been opened yet.
  using probing = open(
    kind === 'http'
      ? httpTarget(server.url.replace('127.0.0.1', 'silent.invalid'))
      : tcpTarget(server.url.replace('127.0.0.1', 'silent.invalid')),
    () => {},
  );
  const caller = new AbortController();
  const probed = probing.probe(caller.signal);
  caller.abort();
  expect(await probed).toMatchObject({
    ...{ passed: false, kind: 'other', phase: 'lookup' },
    reason: 'given up: the watchdog stops',
  });
  expect(await probing.probe(caller.signal)).toMatchObject({ passed: false });
});

test('disposing ends what is under way and closes its connection', async () => {
  const gone = Promise.withResolvers<void>();
  const come = Promise.withResolvers<void>();
  await using server = await rawServer((socket) => {
    socket.on('close', () => gone.resolve()).on('data', () => come.resolve());
  });
  const probing = open(httpTarget(server.url));
  const probed = probing.probe(never);
  await come.promise;
  probing[Symbol.dispose]();
  expect(await probed).toMatchObject({ passed: false, kind: 'other' });
  await gone.promise;
});

test.each(['http:', 'https:'])(
  '%s a timeout closes the connection, open or not yet',
  async (by) => {
    const gone = Promise.withResolvers<void>();
    await using server = await rawServer((socket) => {
      socket.on('close', () => gone.resolve()).resume();
    });
    const target = httpTarget(server.url.replace('http:', by), { timeoutMs });
    using probing = open(target);
    expect(await probing.probe()).toMatchObject({ kind: 'timeout' });
    await gone.promise;
  },
);
