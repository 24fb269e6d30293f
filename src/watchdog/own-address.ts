/**
 * This host's own address on the way to etcd. The kernel says which one it would send
 * from: a UDP socket is connected to the endpoint, which chooses the route and sends
 * nothing, and its local address is read. The endpoints are tried in turn, and every
 * look-up of a name has its deadline.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { CodedError, messageOf } from '../lib/errors.ts';

/** A resolver tries for 5 s before it asks its next server. */
const lookupTimeoutMs = 6000;

/**
 * @param endpoints each scheme://host:port, as `--etcd` has them.
 * @returns the address as it stands before ":PORT": IPv6 in brackets.
 * @throws CodedError when there is no way to any endpoint. That is no fault of the options:
 * while a machine starts its network may be yet to come.
 */
export async function ownAddressTowards(
  endpoints: readonly string[],
  clock: Clock,
  signal?: AbortSignal,
): Promise<string> {
  const faults: string[] = [];
  for (const endpoint of endpoints) {
    try {
      return await withDeadline(
        { what: 'its look-up', timeoutMs: lookupTimeoutMs, clock },
        () => localAddressTowards(new URL(endpoint)),
        signal,
      );
    } catch (error) {
      signal?.throwIfAborted();
      faults.push(`${endpoint}: ${messageOf(error)}`);
    }
  }
  throw new CodedError(
    'NO_OWN_ADDRESS',
    `--address names no host, and this host has no address on the way to etcd: ${faults.join('; ')}`,
  );
}

/** Nothing is sent, so any port will do. */
const anyPort = 9;

async function localAddressTowards({ hostname }: URL): Promise<string> {
  const { address: peer, family } = await lookup(hostname.replace(/^\[(.*)\]$/, '$1'));
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    const connected = once(socket, 'connect');
    socket.connect(anyPort, peer);
    await connected;
    const { address } = socket.address();
    // A link-local address means nothing without its interface, which nginx could not know.
    if (address.includes('%')) throw new Error(`${address} is of use on this link only`);
    return isIPv6(address) ? `[${address}]` : address;
  } finally {
    socket.close();
  }
}
