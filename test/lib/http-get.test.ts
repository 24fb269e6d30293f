import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { httpGet } from '../../src/lib/http-get.ts';
import { deadUrl, httpServer, rawServer } from '../support/local-server.ts';
import { never } from '../support/virtual-clock.ts';

const get = (url: string, rest: { timeoutMs?: number; readBytes?: number } = {}, signal = never) =>
  httpGet({ url, timeoutMs: 2000, readBytes: 1024, clock: systemClock, ...rest }, signal);

/** Writes for as long as somebody reads. */
const pouring: RequestListener = (_request, response) => {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const pour = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', pour);
  pour();
};

test('status, body, path and query', async () => {
  await using server = await httpServer(({ url, headers }, response) => {
    response.writeHead(418).end(`${url} ${headers.connection} ${headers['user-agent']}`);
  });
  const answer = await get(`${server.url}a/b?c=d`);
  expect(answer).toEqual({ status: 418, body: '/a/b?c=d close rollcall' });
});

test('a redirect is an answer: it is not followed', async () => {
  let asked = 0;
  await using server = await httpServer((_request, response) => {
    asked += 1;
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  expect((await get(server.url)).status).toBe(302);
  expect(asked).toBe(1);
});

test('of a body without end only so much is read', async () => {
  await using server = await httpServer(pouring);
  const { status, body } = await get(server.url, { readBytes: 100_000 });
  expect(status).toBe(200);
  expect(body).toHaveLength(100_000);
});

test('a body that drips does not stretch the deadline', async () => {
  await using server = await httpServer((_request, response) => {
    const drip = setInterval(() => response.write('.'), 10);
    response.on('close', () => clearInterval(drip));
  });
  await expect(get(server.url, { timeoutMs: 100 })).rejects.toThrow('no answer within 100 ms');
});

test.each([
  ['nothing', ''],
  ['half a header', 'HTTP/1.1 200 OK\r\nContent-'],
])('a server that says %s and stays is out of time', async (_what, text) => {
  await using server = await rawServer((socket) => socket.write(text));
  await expect(get(server.url, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'DEADLINE' });
});

test('a body that breaks off is an error, not an answer', async () => {
  const broken = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf';
  await using server = await rawServer((socket) => socket.write(broken, () => socket.end()));
  await expect(get(server.url)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
});

test('where nothing listens the code says so', async () => {
  await expect(get(await deadUrl())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('the caller’s abort ends it with the caller’s reason', async () => {
  await using server = await rawServer(() => {});
  const caller = new AbortController();
  const answer = get(server.url, {}, caller.signal);
  caller.abort(new Error('shutting down'));
  await expect(answer).rejects.toThrow('shutting down');
});
