/**
 * Is the name of an endpoint known? grpc-js asks for it for each client and never gives up; with
 * a name server that is away, look-ups would pile up for as long as that lasts. Here one is under
 * way for each name, and a client is made only after it answered.
 */
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { sharedLookup } from '../../lib/shared-lookup.ts';

export type Lookup = LookupFunction;

export class EndpointNames {
  readonly #lookup: Lookup;

  constructor(ask: Lookup = lookup) {
    this.#lookup = sharedLookup(ask);
  }

  /** The name that has to be looked up before a connection; undefined: it is an address. */
  nameOf(url: string): string | undefined {
    const { hostname } = new URL(url);
    return isIP(hostname.replaceAll(/[[\]]/g, '')) ? undefined : hostname;
  }

  /** Rejects when the name has no address. */
  async find(name: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#lookup(name, { all: true }, (error) => (error ? reject(error) : resolve()));
    });
  }
}
