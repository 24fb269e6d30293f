/**
 * A connection that does not come about is given up, and its socket closed: grpc-js would leave
 * each one to the kernel, which takes minutes for an endpoint whose packets are dropped, and for
 * ever for one that accepts and does not answer the TLS handshake. What comes after the
 * handshake, `guardHttp2Settings` watches in the same way.
 */
import net, { isIP } from 'node:net';
import tls, { type ConnectionOptions } from 'node:tls';
import { giveUpWithout } from './give-up.ts';

export const connectTimeoutMs = 1500;

const withinMs = connectTimeoutMs;
const noTcp = { event: 'connect', what: 'no TCP connection', withinMs };
const noTls = { event: 'secureConnect', what: 'no TLS handshake', withinMs };

const connectTcp = net.connect;
const connectTls = tls.connect;
let guarded = false;

/** grpc-js offers no hook, but calls both by these names; so they are wrapped, once. */
export function guardConnects(): void {
  if (guarded) return;
  guarded = true;
  net.connect = ((...args: Parameters<typeof connectTcp>) => {
    const socket = connectTcp(...args);
    return isGrpcAddress(args) ? giveUpWithout(socket, noTcp) : socket;
  }) as typeof connectTcp;
  tls.connect = ((...args: Parameters<typeof connectTls>) => {
    const [options] = args as readonly unknown[];
    if (!isGrpcTls(options)) return connectTls(...args);
    // The address of an endpoint is no name to send: Node warns of it on standard error.
    if (isIP(options.servername ?? '') !== 0) delete options.servername;
    return giveUpWithout(connectTls(...args), noTls);
  }) as typeof connectTls;
}

/** Nobody else's connection is touched: only grpc-js gives exactly these. */
const isGrpcAddress = ([address, listener]: readonly unknown[]) =>
  typeof listener === 'function' &&
  address instanceof Object &&
  Object.keys(address).toSorted().join() === 'host,port';

const isGrpcTls = (options: unknown): options is ConnectionOptions =>
  options instanceof Object &&
  'ALPNProtocols' in options &&
  Array.isArray(options.ALPNProtocols) &&
  options.ALPNProtocols.join() === 'h2';
