import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  guardHttp2Settings,
  settingsTimeoutMs,
} from '../../../src/registry/etcd/settings-guard.ts';
import { rawServer } from '../../support/local-server.ts';

guardHttp2Settings();
beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

const ended = (session: http2.ClientHttp2Session) =>
  new Promise<string>((resolve) => {
    session.on('error', ({ message }) => resolve(message));
  });

test('a connection that is accepted and then silent is destroyed in time', async () => {
  await using server = await rawServer(() => {});
  const session = http2.connect(server.url);
  const reason = ended(session);
  await new Promise((resolve) => session.once('connect', resolve));
  vi.advanceTimersByTime(settingsTimeoutMs - 1);
  expect(session.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(await reason).toBe(`no HTTP/2 SETTINGS within ${settingsTimeoutMs} ms`);
});

test('a connection that has sent its SETTINGS is left alone', async () => {
  const server = http2.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    vi.advanceTimersByTime(settingsTimeoutMs * 10);
    expect(session.destroyed).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    session.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('guarding twice wraps once', () => {
  const { connect } = http2;
  guardHttp2Settings();
  expect(http2.connect).toBe(connect);
});
