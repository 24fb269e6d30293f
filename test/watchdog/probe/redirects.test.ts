import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { textMatch } from '../../../src/watchdog/probe/body-match.ts';
import { httpServer, rawServer } from '../../support/local-server.ts';
import { httpTarget, open, probeOnce } from './probing.ts';

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
    const headers = ['Authorization', 'Basic eA==', 'X-Kept', 'yes'];
    const rest = { redirects: 1, headers, host: 'www.example.org' };
    expect(await probeOnce(httpTarget(server.url, rest))).toMatchObject({ passed: true });
    expect(seen[0]?.headers).toMatchObject({ 'x-kept': 'yes', host: new URL(other.url).host });
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
  });

  test('to another server leave no connection to the first', async () => {
    const gone = Promise.withResolvers<void>();
    await using other = await httpServer((_request, response) => response.end());
    const moved = `HTTP/1.1 307 A\r\nLocation: ${other.url}\r\nContent-Length: 0\r\n\r\n`;
    await using server = await rawServer((socket) => {
      socket.on('close', () => gone.resolve()).on('data', () => socket.write(moved));
    });
    using probing = open(httpTarget(server.url, { redirects: 1, keepIdle: true }));
    expect(await probing.probe()).toMatchObject({ passed: true });
    await gone.promise;
  });

  test.each([
    ['in a circle', (url: string) => url, 'Redirect loop'],
    ['to another scheme', () => 'ftp://127.0.0.1/', 'Invalid'],
    ['nowhere', () => 'http://[', 'Invalid'],
  ])('%s are said', async (_where, to, words) => {
    await using server = await httpServer(({ url = '' }, response) => {
      response.writeHead(302, { location: to(url) }).end();
    });
    expect(await probeOnce(httpTarget(server.url, { redirects: 5 }))).toMatchObject({
      ...{ passed: false, kind: 'status', phase: 'headers' },
      reason: expect.stringContaining(`redirect that cannot be followed: ${words}`),
    });
  });
});
