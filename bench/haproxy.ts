/**
 * One HAProxy that checks apaches as a watchdog does, and when it last changed its mind about each.
 * Its state is read from its stats socket every few milliseconds.
 */
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from '../scripts/parts/find-program.ts';
import { startProgram } from '../scripts/parts/program.ts';
import { makeScratch } from '../scripts/parts/scratch.ts';
import type { Sightings } from './sightings.ts';

const lookEveryMs = 3;
const answersWithinMs = 1000;

export interface Checks {
  readonly interval: string | number;
  readonly 'fast-interval': string | number;
  readonly timeout: string | number;
  readonly rise: string | number;
  readonly fall: string | number;
}

export async function startHaproxy(
  servers: Readonly<Record<string, string>>,
  checks: Checks,
  sightings: Sightings,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await makeScratch('haproxy'));
  const socket = join(scratch.path, 'stats.sock');
  const conf = join(scratch.path, 'haproxy.cfg');
  await writeFile(conf, confOf(servers, checks, socket));
  const program = stack.use(
    await startProgram({
      name: 'haproxy',
      command: { program: findProgram('haproxy'), args: ['-db', '-f', conf], cwd: scratch.path },
      ready: async () => (await askSocket(socket)).includes('srv_op_state') || 'no table',
    }),
  );

  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      for (const [name, up] of statesIn(await askSocket(socket))) sightings.saw(name, up);
      await sleep(lookEveryMs);
    }
  })();
  looking.catch((error: unknown) => sightings.fail(error));
  const owned = stack.move();
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await looking.catch(() => {});
      await program.kill();
      await owned.disposeAsync();
    },
  };
}

function confOf(
  servers: Readonly<Record<string, string>>,
  { interval, 'fast-interval': fast, timeout, rise, fall }: Checks,
  socket: string,
): string {
  const check = `check inter ${interval} fastinter ${fast} rise ${rise} fall ${fall}`;
  return `
global
  stats socket ${socket} level user
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect ${timeout}
  timeout check ${timeout}
${Object.entries(servers)
  .map(
    ([name, address]) =>
      `backend ${name}\n  option httpchk GET /\n  server one ${address} ${check}\n`,
  )
  .join('')}`.trimStart();
}

function askSocket(path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  const client = connect(path, () => client.end('show servers state\n'));
  client.setEncoding('utf8').setTimeout(answersWithinMs, () => client.destroy(new Error('silent')));
  client.on('data', (chunk: string) => (text += chunk));
  client.once('end', () => resolve(text));
  client.once('error', reject);
  return promise;
}

/** "be_id be_name srv_id srv_name srv_addr srv_op_state ..."; an operational state of 2 is running. */
const statesIn = (text: string): [string, boolean][] =>
  text
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([id, , , name]) => /^\d+$/.test(id ?? '') && name === 'one')
    .map((fields) => [fields[1] ?? '', fields[5] === '2']);
