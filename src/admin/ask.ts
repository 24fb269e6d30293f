/**
 * The other end of the admin server, for `rollcall health`: one question, one answer in time. On
 * node:http, as the server is, so that asking every few seconds loads next to nothing.
 */
import { request } from 'node:http';
import { messageOf } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';

export interface Question {
  readonly host: string;
  readonly port: number;
  readonly path: '/-/healthy' | '/-/ready';
  readonly timeoutMs: number;
}

export interface Answered {
  readonly ok: boolean;
  /** On one line. */
  readonly words: string;
}

const maxWordsChars = 1000;

/** Never rejects: who does not answer is not healthy. */
export async function ask({ host, port, path, timeoutMs }: Question): Promise<Answered> {
  const asked = reachable(host);
  try {
    const { status, text } = await get({ host: asked, port, path, timeoutMs });
    const words = printable(text.replaceAll(/\s+/g, ' ').trim(), maxWordsChars);
    const isVerdict = status === 200 || (status === 503 && words !== '');
    // Any other answer is of something else, or of a server in trouble: the status says more.
    const otherwise = `${asked}:${port}: HTTP ${status}: ${words}`.replace(/: $/, '');
    return { ok: status === 200, words: isVerdict ? words : otherwise };
  } catch (error) {
    const why =
      error instanceof Error && error.name === 'TimeoutError'
        ? `no answer within ${timeoutMs} ms`
        : messageOf(error);
    return { ok: false, words: `${asked}:${port}: ${why}` };
  }
}

/** Whoever listens on every address is asked on loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function get({ host, port, path, timeoutMs }: Question): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request({ host, port, path, signal, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text = (text + part).slice(0, maxWordsChars)));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.once('error', fail);
    });
    const fail = (error: unknown) => {
      reject(signal.aborted ? (signal.reason as Error) : (error as Error));
    };
    asked.once('error', fail);
    asked.end();
  });
}
