/**
 * A network of the engine with addresses of its own and no way out of it; it goes at the end of its
 * scope. Where the addresses are taken, others are.
 */
import { randomUUID } from 'node:crypto';
import { docker } from '../container-etcd/docker.ts';

const CALLED_WITHIN_MS = 30_000;
const FIRST = 8;
const LAST = 40;

export interface Network extends AsyncDisposable {
  readonly name: string;
  address(host: number): string;
}

export async function makeNetwork(): Promise<Network> {
  const call = { host: process.env['DOCKER_HOST'], withinMs: CALLED_WITHIN_MS };
  const name = `rollcall-machines-${randomUUID().slice(0, 8)}`;
  for (let third = FIRST; third <= LAST; third += 1) {
    const subnet = `10.214.${third}`;
    try {
      await docker(call, 'network', 'create', '--internal', '--subnet', `${subnet}.0/24`, name);
    } catch (error) {
      if (String(error).includes('overlaps') && third < LAST) continue;
      throw error;
    }
    return {
      name,
      address: (host) => `${subnet}.${host}`,
      [Symbol.asyncDispose]: async () => void (await docker(call, 'network', 'rm', name)),
    };
  }
  throw new Error('no addresses are free');
}
