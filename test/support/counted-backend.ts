/**
 * Who asks and who answers, counted: a client that asks sites all along, each request with a number
 * of its own, and backends that know which of these have reached them. A request that was begun
 * after some moment and reached a backend was sent there after that moment, whatever the machine did.
 */
import { once } from 'node:events';
import { get, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { httpServer } from './local-server.ts';

export interface CountedBackend extends AsyncDisposable {
  readonly name: string;
  /** As it goes into a pool. */
  readonly address: string;
  /** Numbers of the requests that came by way of a site. */
  readonly reachedBy: readonly number[];
  /** How often a watchdog has asked. */
  readonly probes: number;
  /** A request by way of that site that is under way, since it has arrived here; it asks until one has. */
  readonly hold: (siteUrl: string) => Promise<{ readonly answered: Promise<unknown> }>;
  /** Answers all who wait. */
  readonly release: () => void;
}

/** What a watchdog asks for. */
export const probePath = '/probe';

export async function startCountedBackend(name: string): Promise<CountedBackend> {
  const reachedBy: number[] = [];
  const waiting: ServerResponse[] = [];
  let probes = 0;
  const server = await httpServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://any');
    const number = searchParams.get('n');
    if (number !== null) reachedBy.push(Number(number));
    if (pathname === probePath) probes += 1;
    if (searchParams.get('by') === name) return void waiting.push(response);
    response.end(name);
  });
  return {
    ...{ name, address: new URL(server.url).host, reachedBy },
    get probes() {
      return probes;
    },
    hold: async (siteUrl: string) => {
      for (const before = waiting.length; ;) {
        let isAnswered = false;
        const answered = once(get(`${siteUrl}hold?by=${name}`, { agent: false }), 'response');
        // nginx may be told to end it.
        answered.then(
          () => (isAnswered = true),
          () => (isAnswered = true),
        );
        const arrived = { expected: 'the request at a backend', withinMs: 3000, everyMs: 2 };
        await waitUntil(arrived, () => waiting.length > before || isAnswered || 'not yet');
        if (waiting.length > before) return { answered };
      }
    },
    release: () => {
      for (const response of waiting.splice(0)) response.end(name);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export interface Asked {
  readonly number: number;
  readonly site: string;
  /** As `performance.now` has it. */
  readonly begunMs: number;
  /** Undefined: not answered yet. */
  answer: string | undefined;
}

export interface Client extends AsyncDisposable {
  readonly asked: readonly Asked[];
  /** Those that were begun then or later and reached the backend: their numbers, and by which site. */
  readonly reachedSince: (backend: CountedBackend, sinceMs: number, untilMs?: number) => string[];
  /** Those that were answered otherwise than by a backend, or not at all. */
  readonly failures: () => readonly string[];
  /** Waits until so many more were begun and answered by each site. */
  readonly ask: (more: number) => Promise<void>;
}

const answeredWithinMs = 5000;
const everyMs = 3;

/** Asks each of the sites, one request after the other, each on a connection of its own. */
export function askAllAlong(siteUrls: readonly string[]): Client {
  const stop = new AbortController();
  const asked: Asked[] = [];
  const lane = async (site: string) => {
    while (!stop.signal.aborted) {
      const one: Asked = {
        number: asked.length,
        site,
        begunMs: performance.now(),
        answer: undefined,
      };
      asked.push(one);
      one.answer = await httpGet(`${site}?n=${one.number}`, answeredWithinMs).then(
        ({ status, body }) => (status === 200 ? `200 ${body}` : `${status}`),
        messageOf,
      );
      await sleep(everyMs);
    }
  };
  const lanes = Promise.all(siteUrls.map(lane));
  return {
    asked,
    reachedSince: ({ reachedBy }, sinceMs, untilMs = Number.POSITIVE_INFINITY) =>
      reachedBy
        .map((number) => asked[number])
        .filter((one) => one !== undefined && one.begunMs >= sinceMs && one.begunMs < untilMs)
        .map((one) => `${one?.number} by ${one?.site}`),
    failures: () =>
      asked
        .filter(({ answer }) => answer !== undefined && !answer.startsWith('200 '))
        .map(({ number, site, answer }) => `${number} by ${site}: ${answer}`),
    ask: async (more) => {
      const from = asked.length;
      for (const site of siteUrls) {
        await waitUntil({ expected: `${more} answers of ${site}`, withinMs: 20_000 }, () => {
          const answered = asked.slice(from).filter((one) => one.site === site && one.answer);
          return answered.length >= more || `${answered.length}`;
        });
      }
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await lanes;
    },
  };
}
