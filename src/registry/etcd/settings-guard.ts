/**
 * Closes the worst trap of grpc-js: a TCP connection that is accepted but never
 * sends its HTTP/2 SETTINGS stays CONNECTING for ever, and every new client of the
 * process shares it (grpc-node #2785). Here each HTTP/2 connection must send its
 * SETTINGS within a time, or it is destroyed and the client connects afresh.
 */
import http2 from 'node:http2';
import { giveUpWithout } from './give-up.ts';

export const settingsTimeoutMs = 1500;

const connect = http2.connect;
let guarded = false;

/** grpc-js offers no hook, but calls `http2.connect` by that name; so it is wrapped, once. */
export function guardHttp2Settings(): void {
  if (guarded) return;
  guarded = true;
  http2.connect = ((...args: Parameters<typeof connect>) =>
    giveUpWithout(connect(...args), {
      ...{ event: 'remoteSettings', what: 'no HTTP/2 SETTINGS', withinMs: settingsTimeoutMs },
    })) as typeof connect;
}
