/**
 * The two ends of a lock's socket: the holder says in one line who it is to whoever
 * connects, and one who asks learns whether there is a holder at all. A holder that is
 * frozen is one: the system connects in its place, and only its line is missing.
 */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { codeOf } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';

const answerWithinMs = 500;
const maxLineChars = 256;

/** It keeps no process alive, and no connection open. @throws the system's error. */
export async function listenAsHolder(path: string): Promise<Server> {
  const line = `process ${process.pid} on ${hostname()}\n`;
  const server = createServer((socket) => {
    socket.on('error', () => {}).unref();
    socket.end(line, () => socket.destroy());
  });
  server.listen({ path }).unref();
  await once(server, 'listening');
  // One that cannot be taken in for want of files: it has been told all it must know.
  server.on('error', () => {});
  return server;
}

/** It is there, and says nothing, is ending, or has more callers than it takes in. */
const heldAfterAll = new Set(['DEADLINE', 'ECONNRESET', 'EPIPE', 'EAGAIN']);

export type Holder =
  /** @property who: in its own words; undefined when it says nothing. */
  | { readonly kind: 'holds'; readonly who: string | undefined }
  /** Nobody listens any more. */
  | { readonly kind: 'dead' }
  /** There is no socket any more. */
  | { readonly kind: 'gone' };

/** @throws the system's error when nobody can tell from here. */
export async function askHolder(path: string, clock: Clock): Promise<Holder> {
  const socket = connect({ path }).setEncoding('utf8');
  let text = '';
  try {
    const what = 'the holder';
    await withDeadline({ what, timeoutMs: answerWithinMs, clock }, async () => {
      for await (const chunk of socket as AsyncIterable<string>) {
        text += chunk;
        if (text.includes('\n') || text.length >= maxLineChars) return;
      }
    });
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'ECONNREFUSED') return { kind: 'dead' };
    if (code === 'ENOENT') return { kind: 'gone' };
    if (!heldAfterAll.has(code)) throw error;
  } finally {
    socket.destroy();
  }
  return { kind: 'holds', who: printable(text.split('\n', 1)[0] ?? '', maxLineChars) || undefined };
}
