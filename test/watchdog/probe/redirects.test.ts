import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { waitUntil } from '../../../scripts/parts/wait-until.ts';
import { textMatch } from '../../../src/watchdog/probe/body-match.ts';
import { httpServer, rawServer } from '../../support/local-server.ts';
import { httpTarget, open, probeOnce } from './probing.ts';

const arrived = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** /3 leads to /2, that to /1, that to /0, which is the answer. */
const stairs = () =>
  httpServer(({ url = '/0' }, response) => {
    const level = Number(url.slice(1));
    if (level === 0) response.end('arrived');
    else response.writeHead(302, { location: `/${level - 1}` }).end('a page of its own');
  });

describe('redirects', () => {
  test('are answers, unless asked to follow', async () => {
    await using server = await stairs();
    const body = textMatch('arrived');
    const target = httpTarget(`${server.url}1`, { body });
    expect(await probeOnce(target)).toMatchObject({ kind: 'body' });
    expect(await probeOnce({ ...target, redirects: 1 })).toMatchObject({ passed: true });
  });

  test('are followed so often and no further', async () => {
    await using server = await stairs();
    const target = httpTarget(`${server.url}3`, { body: textMatch('arrived') });
    expect(await probeOnce({ ...target, redirects: 3 })).toMatchObject({ passed: true });
    expect(await probeOnce({ ...target, redirects: 2 })).toMatchObject({
      ...{ kind: 'status', phase: 'headers' },
      reason: 'status 302 Found, redirect to /0 after 2 redirects',
    });
  });

  test('lead to other servers, without what was meant for the first', async () => {
    const seen: IncomingMessage[] = [];
    await using other = await httpServer((request, response) => {
      seen.push(request);
      response.end();
    });
    await using server = await httpServer((_request, response) => {
      response.writeHead(307, { location: other.url }).end();
    });
    const headers = ['Authorization', 'Basic eA==', 'X-Api-Key', 'secret', 'User-Agent', 'mine'];
    const rest = { redirects: 1, headers, host: 'www.example.org' };
    expect(await probeOnce(httpTarget(server.url, rest))).toMatchObject({ passed: true });
    expect(seen[0]?.headers).toEqual({
      ...{ host: new URL(other.url).host, 'user-agent': 'rollcall', connection: 'close' },
    });
  });

  test('on the same server keep the Host and the headers, by whatever way they come back', async () => {
    const seen: IncomingMessage[] = [];
    let back = '';
    await using other = await httpServer((_request, response) => {
      response.writeHead(302, { location: back }).end();
    });
    await using server = await httpServer((request, response) => {
      seen.push(request);
      if (request.url === '/final') response.end();
      else response.writeHead(302, { location: request.url === '/' ? '/away' : other.url }).end();
    });
    back = `${server.url}final`;
    const rest = { redirects: 3, headers: ['X-Kept', 'yes'], host: 'www.example.org' };
    expect(await probeOnce(httpTarget(server.url, rest))).toMatchObject({ passed: true });
    expect(seen.map(({ url }) => url)).toEqual(['/', '/away', '/final']);
    for (const { rawHeaders } of seen) {
      const names = rawHeaders.filter((_text, n) => n % 2 === 0).map((name) => name.toLowerCase());
      expect(names.toSorted()).toEqual(['connection', 'host', 'user-agent', 'x-kept']);
      expect(rawHeaders).toContain('www.example.org');
    }
  });

  test('on the same server leave a connection that tells of its end', async () => {
    const sockets = new Set<Socket>();
    await using server = await httpServer(({ url, socket }, response) => {
      sockets.add(socket);
      if (url === '/final') response.end();
      else response.writeHead(302, { location: '/final' }).end();
    });
    using probing = open(httpTarget(server.url, { redirects: 1, keepIdle: true }));
    expect(await probing.probe()).toMatchObject({ passed: true });
    for (const socket of sockets) socket.destroy();
    await waitUntil({ expected: 'one idle close', withinMs: 5000 }, () => {
      return probing.idleCloses === 1 || 'none';
    });
  });

  test('to another server leave no connection, to that one or the first', async () => {
    const gone = Promise.withResolvers<void>();
    const otherGone = Promise.withResolvers<void>();
    // It never closes by itself.
    await using other = await rawServer((socket) => {
      socket.on('close', () => otherGone.resolve()).on('data', () => socket.write(arrived));
    });
    const moved = `HTTP/1.1 307 A\r\nLocation: ${other.url}\r\nContent-Length: 0\r\n\r\n`;
    await using server = await rawServer((socket) => {
      socket.on('close', () => gone.resolve()).on('data', () => socket.write(moved));
    });
    using probing = open(httpTarget(server.url, { redirects: 1, keepIdle: true }));
    expect(await probing.probe()).toMatchObject({ passed: true });
    await Promise.all([gone.promise, otherGone.promise]);
    expect(probing.idleCloses).toBe(0);
  });

  test('that are not followed are shown without what may be a secret', async () => {
    await using server = await httpServer((_request, response) => {
      response.writeHead(302, { location: '/login?token=secret#secret' }).end();
    });
    const target = httpTarget(`${server.url}?a`, { redirects: 1 });
    const result = await probeOnce(target);
    expect(result).toMatchObject({
      reason: 'status 302 Found, redirect to /login?... after 1 redirects',
    });
  });

  test.each([
    ['in a circle', (url: string) => url, /^redirects in a circle$/],
    ['to another scheme', () => 'ftp://127.0.0.1/', /^redirect that cannot be followed: Invalid/],
    ['nowhere', () => 'http://[', /^redirect that cannot be followed: Invalid/],
  ])('%s are said', async (_where, to, words) => {
    await using server = await httpServer(({ url = '' }, response) => {
      response.writeHead(302, { location: to(url) }).end();
    });
    expect(await probeOnce(httpTarget(server.url, { redirects: 5 }))).toMatchObject({
      ...{ passed: false, kind: 'status', phase: 'headers' },
      reason: expect.stringMatching(words),
    });
  });
});
