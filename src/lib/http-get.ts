/**
 * One GET on a fresh connection, within a deadline that covers everything from the
 * name look-up to the last byte read. Memory is bounded: the body is read up to a
 * limit and the rest is left.
 */
import { Client } from 'undici';
import type { Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';

export interface HttpGet {
  readonly url: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Reading stops after this many bytes. */
  readonly readBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Redirects are answers like any other. @throws DeadlineError, or undici's error. */
export async function httpGet(
  { url, timeoutMs, clock, readBytes }: HttpGet,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { origin, pathname, search } = new URL(url);
  const client = new Client(origin, { pipelining: 0 });
  try {
    return await withDeadline(
      { what: `GET ${url}`, timeoutMs, clock },
      async (within) => {
        const { statusCode, body } = await client.request({
          path: pathname + search,
          method: 'GET',
          reset: true,
          signal: within,
          headers: { 'user-agent': 'rollcall' },
        });
        const chunks: Buffer[] = [];
        let bytes = 0;
        for await (const chunk of body as AsyncIterable<Buffer>) {
          chunks.push(chunk.subarray(0, readBytes - bytes));
          bytes += chunk.length;
          if (bytes >= readBytes) break;
        }
        return { status: statusCode, body: Buffer.concat(chunks).toString() };
      },
      signal,
    );
  } finally {
    // Not awaited: a peer that does not close must not hold up its caller.
    client.destroy().catch(() => {});
  }
}
