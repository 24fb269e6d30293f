/**
 * One GET on a connection of its own: what answers is what listens now, never what answered on a
 * kept-alive connection before. Rejects when the whole answer is not there by the deadline.
 */
import { get, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export function httpGet(url: string, deadlineMs: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = get(url, { agent: false }, (response) => {
    let body = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (body += chunk));
    response.once('error', reject);
    response.once('end', () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    });
  });
  request.once('error', reject);
  const timer = setTimeout(() => {
    request.destroy(new Error(`no answer within ${deadlineMs} ms`));
  }, deadlineMs);
  return promise.finally(() => clearTimeout(timer));
}
