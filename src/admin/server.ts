/**
 * The admin server: read-only, GET only, four fixed paths. It tells and never
 * does. On node:http, since a framework costs each sidecar 4 MB of private memory
 * for four routes.
 *
 *   /metrics    Prometheus text       /-/healthy  200 while the process answers
 *   /status     JSON                  /-/ready    200 while it does its duty, else 503 and why
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { messageOf, UsageError } from '../lib/errors.ts';

export interface AdminSources {
  readonly metrics: Registry;
  /** Anything that JSON can hold. */
  readonly status: () => unknown;
  /** Undefined: ready. Else why not. */
  readonly unready: () => string | undefined;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const plain = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

const verdict = (reason: string | undefined) =>
  reason === undefined ? plain(200, 'ok') : plain(503, reason);

function routes(sources: AdminSources): ReadonlyMap<string, () => Answer | Promise<Answer>> {
  const { metrics, status, unready } = sources;
  return new Map<string, () => Answer | Promise<Answer>>([
    [
      '/metrics',
      async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() }),
    ],
    [
      '/status',
      () => ({ status: 200, type: 'application/json', body: `${JSON.stringify(status())}\n` }),
    ],
    ['/-/healthy', () => verdict(undefined)],
    ['/-/ready', () => verdict(unready())],
  ]);
}

export interface AdminServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** @throws UsageError when the address cannot be listened on. */
export async function startAdminServer(
  at: { readonly host: string; readonly port: number },
  sources: AdminSources,
): Promise<AdminServer> {
  const paths = routes(sources);
  const server = createServer(
    { requestTimeout: 5000, headersTimeout: 5000 },
    (request, response) => {
      void (async () => {
        const { status, type, body } = await answer(paths, request.method, request.url);
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
        response.end(request.method === 'HEAD' ? undefined : body);
      })();
    },
  );
  server.maxConnections = 64;
  await listen(server, at);
  // A connection that cannot be accepted is not worth the process.
  server.on('error', () => {});
  const { port } = server.address() as AddressInfo;
  return {
    host: at.host,
    port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(
  paths: ReturnType<typeof routes>,
  method: string | undefined,
  target: string | undefined,
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'GET only');
  const route = paths.get((target ?? '').split('?', 1)[0] ?? '');
  if (!route) return plain(404, `one of ${[...paths.keys()].join(', ')}`);
  try {
    return await route();
  } catch (error) {
    return plain(500, messageOf(error));
  }
}

async function listen(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new UsageError(
          `--admin: cannot listen on ${host}:${port}: ${messageOf(error)}: give an address of this machine and a free port`,
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}
