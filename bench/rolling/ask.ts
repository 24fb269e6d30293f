/**
 * One request, and whether it came to the right answer. An idempotent request that was written on a
 * kept connection which the server closed at that moment, without one byte of an answer, is asked
 * once more on a new connection, as RFC 9112 (9.3.1) has clients do; that is told. Nothing else is
 * ever asked again.
 */
import { type Agent, type IncomingMessage, request } from 'node:http';
import { messageOf } from '../../src/lib/errors.ts';
import { isRight, type Kind, type Outcome } from './kinds.ts';

const deadlineMs = 15_000;

/** @param agent keeps the connection; without it the request has one of its own. */
export async function ask(
  kind: Kind,
  url: string,
  body: string,
  agent: Agent | undefined,
): Promise<Outcome> {
  const beganAtMs = performance.now();
  const first = await askOnce(kind, url, body, agent);
  const askedAgain = first.closedUnanswered && kind.method === 'GET';
  const { failure, tried } = askedAgain ? await askOnce(kind, url, body, undefined) : first;
  return { failure, askedAgain, tried, tookMs: performance.now() - beganAtMs };
}

interface Once {
  readonly failure: string | undefined;
  readonly tried: readonly string[];
  readonly closedUnanswered: boolean;
}

function askOnce(kind: Kind, url: string, body: string, agent: Agent | undefined): Promise<Once> {
  const { promise, resolve } = Promise.withResolvers<Once>();
  const posting = kind.method === 'POST';
  const asked = request(url + kind.path, {
    method: kind.method,
    agent: agent ?? false,
    ...(posting && { headers: { 'content-length': Buffer.byteLength(body) } }),
  });
  let bytesBefore = 0;
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    asked.destroy(new Error(`no whole answer within ${deadlineMs} ms`));
  }, deadlineMs);
  asked.once('socket', (socket) => (bytesBefore = socket.bytesRead));
  asked.once('error', (error) => {
    const unanswered = asked.socket?.bytesRead === bytesBefore;
    resolve({
      failure: `before an answer: ${describe(error)}`,
      tried: [],
      closedUnanswered: asked.reusedSocket && unanswered && !overdue,
    });
  });
  asked.once('response', (response) => void read(response, kind, body).then(resolve));
  if (posting) asked.end(body);
  else asked.end();
  return promise.finally(() => clearTimeout(timer));
}

async function read(response: IncomingMessage, kind: Kind, sent: string): Promise<Once> {
  const handler = response.headers['x-handler'];
  const tried = String(handler ?? '').match(/[^\s,]+/g) ?? [];
  let answer = '';
  let failure: string | undefined;
  response.setEncoding('utf8');
  try {
    for await (const part of response) answer += String(part);
    if (response.statusCode !== 200) failure = `status ${response.statusCode}`;
    else if (!isRight(kind, sent, answer)) failure = 'a wrong body';
  } catch (error) {
    failure = `cut off within the answer: ${describe(error)}`;
  }
  return { failure, tried, closedUnanswered: false };
}

const describe = (error: unknown) =>
  error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
