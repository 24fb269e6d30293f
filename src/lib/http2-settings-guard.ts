/**
 * Closes the worst trap of grpc-js: a TCP connection that is accepted but never
 * sends its HTTP/2 SETTINGS stays CONNECTING for ever, and every new client of the
 * process shares it (grpc-node #2785). Here each HTTP/2 connection must send its
 * SETTINGS within a time, or it is destroyed and the client connects afresh.
 */
import http2 from 'node:http2';

export const settingsTimeoutMs = 1500;

const connect = http2.connect;
let guarded = false;

/** grpc-js offers no hook, but calls `http2.connect` by that name; so it is wrapped, once. */
export function guardHttp2Settings(): void {
  if (guarded) return;
  guarded = true;
  http2.connect = ((...args: Parameters<typeof connect>) => {
    const session = connect(...args);
    const timer = setTimeout(() => {
      session.destroy(new Error(`no HTTP/2 SETTINGS within ${settingsTimeoutMs} ms`));
    }, settingsTimeoutMs);
    timer.unref();
    session.once('remoteSettings', () => clearTimeout(timer));
    session.once('close', () => clearTimeout(timer));
    return session;
  }) as typeof connect;
}
