/**
 * Ports on 127.0.0.1 that nothing listens on.
 *
 * They come from below the range that the kernel takes outgoing ports from, so that a program which
 * is stopped for a while finds its port still free when it is started again.
 */
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

const LOWEST = 10_000;
const BELOW = 32_768;
const ATTEMPTS = 100;

const given = new Set<number>();

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, BELOW);
    if (await take(port)) return port;
  }
  throw new Error(`No free port found in ${ATTEMPTS} attempts`);
}

/**
 * A port for each name: the preferred ones where every name has one and all are free, else others
 * for all. One that is free among others that are not may belong to a program being restarted.
 */
export async function freePorts<Name extends string>(
  names: readonly Name[],
  preferred: Readonly<Partial<Record<Name, number>>>,
): Promise<Record<Name, number>> {
  const wanted = names.map((name) => preferred[name]);
  const taken = await Promise.all(wanted.map(async (port) => port !== undefined && take(port)));
  const ports = taken.includes(false) ? await others(wanted, taken) : wanted;
  return Object.fromEntries(names.map((name, n) => [name, ports[n]])) as Record<Name, number>;
}

function others(wanted: readonly (number | undefined)[], taken: readonly boolean[]) {
  for (const [n, port] of wanted.entries()) if (port && taken[n]) given.delete(port);
  return Promise.all(wanted.map(() => freePort()));
}

async function take(port: number): Promise<boolean> {
  // Two callers must not get the same port before either listens on it.
  if (given.has(port)) return false;
  given.add(port);
  const free = await isFree(port);
  if (!free) given.delete(port);
  return free;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
