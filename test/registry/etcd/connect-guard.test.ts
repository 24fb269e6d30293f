import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connectTimeoutMs, guardConnects } from '../../../src/registry/etcd/connect-guard.ts';
import { rawServer } from '../../support/local-server.ts';

guardConnects();
beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

const portOf = (url: string) => Number(new URL(url).port);
const endOf = (socket: net.Socket) =>
  new Promise<string>((resolve) => {
    socket.on('error', ({ message }) => resolve(message)).on('close', () => resolve('closed'));
  });

test('a TCP connection of grpc-js that does not come about is given up', async () => {
  await using server = await rawServer(() => {});
  const socket = net.connect({ host: '127.0.0.1', port: portOf(server.url) }, () => {});
  const end = endOf(socket);
  // No turn of the event loop in between: it is still connecting.
  vi.advanceTimersByTime(connectTimeoutMs);
  expect(await end).toBe(`no TCP connection within ${connectTimeoutMs} ms`);
});

test('one that did, and the connections of others, are left alone', async () => {
  await using server = await rawServer(() => {});
  const port = portOf(server.url);
  const ours = await new Promise<net.Socket>((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port }, () => resolve(socket));
  });
  const others = net.connect({ host: '127.0.0.1', port, noDelay: true }, () => {});
  vi.advanceTimersByTime(connectTimeoutMs * 10);
  expect([ours.destroyed, others.destroyed]).toEqual([false, false]);
  ours.destroy();
  others.destroy();
});

test('a TLS handshake that is not answered is given up', async () => {
  await using server = await rawServer(() => {});
  const socket = tls.connect({
    host: '127.0.0.1',
    port: portOf(server.url),
    ALPNProtocols: ['h2'],
  });
  const end = endOf(socket);
  await new Promise((resolve) => socket.once('connect', resolve));
  vi.advanceTimersByTime(connectTimeoutMs - 1);
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(await end).toBe(`no TLS handshake within ${connectTimeoutMs} ms`);
});

test('an address is not sent as a name: Node would warn of it in the middle of the log', async () => {
  const warnings: string[] = [];
  const record = ({ message }: Error) => void warnings.push(message);
  process.on('warning', record);
  await using server = await rawServer(() => {});
  const socket = tls.connect({
    ...{ host: '127.0.0.1', port: portOf(server.url), servername: '127.0.0.1' },
    ALPNProtocols: ['h2'],
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  process.off('warning', record);
  expect(warnings).toEqual([]);
});
