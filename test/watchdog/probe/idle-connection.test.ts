/** Which connection is kept after a probe, and whose hanging up is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type Look, waitUntil } from '../../../scripts/parts/wait-until.ts';
import { type LocalServer, rawServer } from '../../support/local-server.ts';
import { httpTarget, open, tcpTarget } from './probing.ts';

const soon = (expected: string, look: () => Look) =>
  waitUntil({ expected, withinMs: 5000, everyMs: 2 }, look);

interface Answering extends LocalServer {
  /** Those that are open, oldest first. */
  readonly sockets: readonly Socket[];
}

/** Answers each request with what the path says, on a connection that it leaves open. */
async function answering(answers: Readonly<Record<string, string>>): Promise<Answering> {
  let sockets: readonly Socket[] = [];
  const server = await rawServer((socket) => {
    sockets = [...sockets, socket];
    socket.on('close', () => (sockets = sockets.filter((one) => one !== socket)));
    socket.on('data', (request) => {
      const path = /^\w+ \/(\S*)/.exec(request.toString())?.[1] ?? '';
      socket.write(answers[path] ?? '');
    });
  });
  return Object.defineProperty({ ...server, sockets: [] }, 'sockets', { get: () => sockets });
}

const page = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const kept = (server: LocalServer, path = '') =>
  open(httpTarget(server.url + path, { keepIdle: true, bodyLimitBytes: 10 }));

describe('the connection of a probe that passed', () => {
  test('stays open, until the next probe begins', async () => {
    await using server = await answering({ '': page });
    using probing = kept(server);
    await probing.probe();
    const [first] = server.sockets;
    await sleep(50);
    expect(server.sockets).toEqual([first]);
    await probing.probe();
    await soon('one connection, another', () => {
      return (server.sockets.length === 1 && server.sockets[0] !== first) || 'not yet';
    });
    expect(probing.idleCloses).toBe(0);
  });

  test.each(['end', 'destroy', 'resetAndDestroy'] as const)('is told of by %s', async (how) => {
    await using server = await answering({ '': page });
    using probing = kept(server);
    await probing.probe();
    server.sockets[0]?.[how]();
    await soon('one idle close', () => probing.idleCloses === 1 || 'none');
    await sleep(20);
    expect(probing.idleCloses).toBe(1);
  });

  test.each(['end', 'resetAndDestroy'] as const)('over TCP is told of by %s', async (how) => {
    let socket: Socket | undefined;
    await using server = await rawServer((accepted) => (socket = accepted));
    using probing = open(tcpTarget(server.url, { keepIdle: true }));
    expect(await probing.probe()).toMatchObject({ passed: true });
    await soon('the connection', () => socket !== undefined || 'none');
    socket?.write('220 a greeting\r\n', () => socket?.[how]());
    await soon('one idle close', () => probing.idleCloses === 1 || 'none');
  });

  test('that the server closed together with its answer is told of after the pass', async () => {
    await using server = await rawServer((socket) => {
      socket.on('data', () => socket.end(page));
    });
    using probing = kept(server);
    expect(await probing.probe()).toMatchObject({ passed: true });
    expect(probing.idleCloses).toBe(0);
    await soon('one idle close', () => probing.idleCloses === 1 || 'none');
  });

  test('after HEAD is kept like any other, where the server says that it stays', async () => {
    const head = 'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n';
    await using server = await answering({ '': head });
    using probing = open(httpTarget(server.url, { keepIdle: true, method: 'HEAD' }));
    expect(await probing.probe()).toMatchObject({ passed: true });
    server.sockets[0]?.end();
    await soon('one idle close', () => probing.idleCloses === 1 || 'none');
  });
});

describe('nothing is kept, and nothing told', () => {
  const close = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
  const long = 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789abcdefghij';
  const failed = 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n';
  const old = 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok';

  test.each([
    ['the server says Connection: close', 'close'],
    ['the body is not read to its end', 'long'],
    ['the probe failed', 'failed'],
    ['the server speaks HTTP/1.0', 'old'],
  ])('where %s', async (_why, path) => {
    await using server = await answering({ close, long, failed, old });
    using probing = kept(server, path);
    await probing.probe();
    await soon('no connection', () => server.sockets.length === 0 || 'still one');
    expect(probing.idleCloses).toBe(0);
  });

  test('where the answer ends with its connection', async () => {
    await using server = await rawServer((socket) => {
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nok'));
    });
    using probing = kept(server);
    expect(await probing.probe()).toMatchObject({ passed: true });
    await sleep(20);
    expect(probing.idleCloses).toBe(0);
  });

  test.each(['http', 'tcp'] as const)('where it is off: %s', async (kind) => {
    await using server = await answering({ '': page });
    using probing = open(kind === 'http' ? httpTarget(server.url) : tcpTarget(server.url));
    expect(await probing.probe()).toMatchObject({ passed: true });
    await soon('no connection', () => server.sockets.length === 0 || 'still one');
    expect(probing.idleCloses).toBe(0);
  });

  test('where the server announces when it will close: we go first', async () => {
    const announced = page.replace('Content', 'Keep-Alive: timeout=1\r\nContent');
    await using server = await answering({ '': announced });
    using probing = kept(server);
    await probing.probe();
    const [socket] = server.sockets;
    const openMs = await soon('no connection', () => server.sockets.length === 0 || 'still one');
    expect(openMs).toBeGreaterThan(700);
    // The last word was ours: the server has read our end before it closed its own.
    expect(socket?.readableEnded).toBe(true);
    expect(probing.idleCloses).toBe(0);
  });

  test('over TCP where the server talks without end: we hang up', async () => {
    const gone = Promise.withResolvers<void>();
    await using server = await rawServer((socket) => {
      const pour = () => {
        while (!socket.destroyed && socket.write('x'.repeat(65_536)));
      };
      socket.on('drain', pour).on('close', () => gone.resolve());
      pour();
    });
    using probing = open(tcpTarget(server.url, { keepIdle: true }));
    expect(await probing.probe()).toMatchObject({ passed: true });
    await gone.promise;
    expect(probing.idleCloses).toBe(0);
  });

  test('where it is unasked for what the server says: we hang up', async () => {
    await using server = await answering({ '': page });
    using probing = kept(server);
    await probing.probe();
    server.sockets[0]?.write('HTTP/1.1 408 Request Timeout\r\n\r\n');
    await soon('no connection', () => server.sockets.length === 0 || 'still one');
    expect(probing.idleCloses).toBe(0);
  });

  test('once it has been disposed of', async () => {
    await using server = await answering({ '': page });
    const probing = kept(server);
    await probing.probe();
    probing[Symbol.dispose]();
    await soon('no connection', () => server.sockets.length === 0 || 'still one');
    expect(probing.idleCloses).toBe(0);
  });
});

const inUse = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap');

test.each(['http', 'tcp'] as const)('%s: the connection keeps no process alive', async (kind) => {
  await using server = await rawServer((socket) => {
    socket.on('data', () => socket.write(page)).unref();
  });
  const before = inUse().length;
  const target = kind === 'http' ? httpTarget(server.url) : tcpTarget(server.url);
  using probing = open({ ...target, keepIdle: true });
  expect(await probing.probe()).toMatchObject({ passed: true });
  expect(inUse()).toHaveLength(before);
});

test('of several probes at a time the newest that passed leaves its connection', async () => {
  const waiting: Socket[] = [];
  await using server = await rawServer((socket) => {
    socket.on('data', () => waiting.push(socket));
  });
  using probing = kept(server);
  const older = probing.probe();
  await soon('the older', () => waiting.length === 1 || 'nobody');
  const newer = probing.probe();
  await soon('the newer', () => waiting.length === 2 || 'nobody');
  waiting[1]?.write(page);
  expect(await newer).toMatchObject({ passed: true });
  waiting[0]?.write(page);
  expect(await older).toMatchObject({ passed: true });
  await soon('the older closed', () => waiting[0]?.destroyed || 'open');
  expect([waiting[1]?.destroyed, probing.idleCloses]).toEqual([false, 0]);
  waiting[1]?.destroy();
  await soon('one idle close', () => probing.idleCloses === 1 || 'none');
});
