/**
 * A small real backend that answers every path with its name, and keeps who asks for /hold waiting
 * until it is told to answer.
 */
import { once } from 'node:events';
import { get, type ServerResponse } from 'node:http';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { httpServer } from './local-server.ts';

export interface NamedBackend extends AsyncDisposable {
  /** As it goes into a pool. */
  readonly address: string;
  /** How many ask for /hold and wait. */
  readonly held: number;
  /** Answers all who wait. */
  readonly release: () => void;
}

export async function startNamedBackend(name: string): Promise<NamedBackend> {
  const waiting: ServerResponse[] = [];
  const server = await httpServer(({ url = '' }, response) => {
    if (url.includes('/hold')) waiting.push(response);
    else response.end(name);
  });
  return {
    address: new URL(server.url).host,
    get held() {
      return waiting.length;
    },
    release: () => {
      for (const response of waiting.splice(0)) response.end(name);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A request by way of nginx that is under way, since its backend has it. */
export async function holdRequest(
  siteUrl: string,
  backend: NamedBackend,
): Promise<{ readonly answered: Promise<unknown> }> {
  const before = backend.held;
  const answered = once(get(`${siteUrl}hold`, { agent: false }), 'response');
  // nginx may be told to end it.
  answered.catch(() => {});
  const arrived = { expected: 'the request at its backend', withinMs: 3000 };
  await waitUntil(arrived, () => backend.held > before || 'not yet');
  return { answered };
}
