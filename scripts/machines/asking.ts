/**
 * The client: asks each of its URLs 20 times a second, whatever has become of the requests before, by
 * GET and by POST in turn and each on a connection of its own. What it has seen stands in a file.
 *   node asking.ts FILE URL...
 */
import { renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';

const everyMs = 50;
const writtenEveryMs = 100;
/** As long as a client may be taken to wait. */
const answeredWithinMs = 10_000;

export interface Failure {
  readonly url: string;
  readonly method: string;
  readonly why: string;
  /** The backends that nginx tried, as it says. */
  readonly tried: string;
  /** Since the epoch. */
  readonly begunAtMs: number;
}

export interface Asked {
  readonly begun: number;
  /** So many have ended, in the order in which they were begun. */
  readonly ended: number;
  readonly failures: readonly Failure[];
  readonly slowestMs: number;
}

const [file, ...urls] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: asking.ts FILE URL...');

const failures: Failure[] = [];
const open = new Set<number>();
let begun = 0;
let slowestMs = 0;

async function ask(url: string, method: string): Promise<void> {
  const id = begun;
  begun += 1;
  open.add(id);
  const begunAtMs = Date.now();
  const { why, tried } = await outcome(url, method);
  if (why !== undefined) failures.push({ url, method, why, tried, begunAtMs });
  slowestMs = Math.max(slowestMs, Date.now() - begunAtMs);
  open.delete(id);
}

const outcome = (url: string, method: string) =>
  new Promise<{ readonly why: string | undefined; readonly tried: string }>((resolve) => {
    const signal = AbortSignal.timeout(answeredWithinMs);
    let tried = '';
    const end = (why: string | undefined) => resolve({ why, tried });
    const sent = request(url, { method, agent: false, signal }, (answer) => {
      tried = String(answer.headers['x-handler'] ?? '');
      answer.on('error', ({ message }) => end(message));
      answer.on('end', () =>
        end(answer.statusCode === 200 ? undefined : `status ${answer.statusCode}`),
      );
      answer.resume();
    });
    sent.on('error', ({ message, name }) => end(name === 'AbortError' ? 'no answer' : message));
    sent.end(method === 'POST' ? 'x' : undefined);
  });

let turn = 0;
setInterval(() => {
  turn += 1;
  for (const url of urls) void ask(url, turn % 2 ? 'GET' : 'POST');
}, everyMs);
setInterval(() => {
  const seen: Asked = { begun, ended: Math.min(begun, ...open), failures, slowestMs };
  writeFileSync(`${file}.new`, JSON.stringify(seen));
  renameSync(`${file}.new`, file);
}, writtenEveryMs);
