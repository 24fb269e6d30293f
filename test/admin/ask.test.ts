import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { ask } from '../../src/admin/ask.ts';
import { startAdminServer } from '../../src/admin/server.ts';
import { deadUrl, httpServer, rawServer } from '../support/local-server.ts';
import { Registry } from 'prom-client';

const portOf = (url: string) => Number(new URL(url).port);
const asked = (url: string, timeoutMs = 5000, host = '127.0.0.1') =>
  ask({ host, port: portOf(url), path: '/-/ready', timeoutMs });

async function answered(handle: RequestListener) {
  await using server = await httpServer(handle);
  const { host } = new URL(server.url);
  return { host, ...(await asked(server.url)) };
}

test('what the admin server says of itself, each path for itself', async () => {
  const sources = { metrics: new Registry(), status: () => ({}), unready: () => 'etcd is away' };
  await using server = await startAdminServer({ host: '127.0.0.1', port: 0 }, sources);
  const of = (path: '/-/healthy' | '/-/ready') =>
    ask({ host: '127.0.0.1', port: server.port, path, timeoutMs: 5000 });
  expect(await of('/-/healthy')).toEqual({ ok: true, words: 'ok' });
  expect(await of('/-/ready')).toEqual({ ok: false, words: 'etcd is away' });
});

test('who listens on every address is asked on loopback', async () => {
  await using server = await httpServer((_request, response) => response.end('ok\n'));
  expect(await asked(server.url, 5000, '0.0.0.0')).toEqual({ ok: true, words: 'ok' });
  const dead = await deadUrl();
  expect((await asked(dead, 5000, '0.0.0.0')).words).toMatch(/^127\.0\.0\.1:/);
  expect((await asked(dead, 5000, '::')).words).toMatch(/^::1:/);
});

test.each([
  [404, 'no such\r\n  page\n', 'HTTP 404: no such page'],
  [500, '', 'HTTP 500'],
  [503, '\n', 'HTTP 503'],
  [302, '', 'HTTP 302'],
])('%i is no verdict of ours: the status is said, on one line', async (status, body, says) => {
  const { host, ...rest } = await answered((_request, response) => {
    response.writeHead(status).end(body);
  });
  expect(rest).toEqual({ ok: false, words: `${host}: ${says}` });
});

test('an endless answer is not read to its end, nor shown whole', async () => {
  const { ok, words } = await answered((_request, response) => {
    response.writeHead(503).end('x'.repeat(1_000_000));
  });
  expect({ ok, chars: words.length }).toEqual({ ok: false, chars: 1000 });
});

test.each<[string, string]>([
  ['silence', ''],
  ['an answer that begins and does not end', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\no'],
])('%s ends at the deadline', async (_what, says) => {
  await using server = await rawServer((socket) => socket.write(says));
  const { ok, words } = await asked(server.url, 100);
  expect({ ok, words }).toEqual({
    ...{ ok: false, words: `${new URL(server.url).host}: no answer within 100 ms` },
  });
});

test.each<[string, string]>([
  ['a connection that is hung up', ''],
  ['half an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\no'],
  ['no HTTP at all', 'SSH-2.0-OpenSSH\r\n'],
])('%s is not healthy', async (_what, says) => {
  await using server = await rawServer((socket) => {
    socket.once('data', () => socket.end(says));
  });
  const { ok, words } = await asked(server.url);
  expect(ok).toBe(false);
  expect(words).toMatch(/^127\.0\.0\.1:\d+: \S/);
});

test('nobody there is not healthy', async () => {
  expect(await asked(await deadUrl())).toMatchObject({
    ...{ ok: false, words: expect.stringContaining('ECONNREFUSED') },
  });
});
