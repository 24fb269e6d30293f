/**
 * An HTTP probe: one request on a fresh connection, by undici. Nothing is pooled between
 * probes and nothing of an answer is kept but what the match needs, so an answer without
 * end costs time up to the deadline, and no memory.
 */
import { isIP, type LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { Agent, type buildConnector, Client, type Dispatcher, interceptors } from 'undici';
import { boundedBody } from './bounded-body.ts';
import { Connection, type SecurePlan } from './connection.ts';
import type { ProbePhase } from './result.ts';
import { type HttpTarget, shownUrl, type StatusRange } from './target.ts';
import type { Attempt, Verdict } from './verdict.ts';

export interface HttpMeans {
  readonly lookup: LookupFunction;
  /** Of all probes; none where no TLS can come up. */
  readonly secureContext: SecureContext | undefined;
}

/** The deadline is the probe's, so undici keeps none; an idle connection is the server's to close. */
const patient = {
  ...{ headersTimeout: 0, bodyTimeout: 0, pipelining: 1 },
  ...{ keepAliveTimeout: 600_000, keepAliveMaxTimeout: 600_000 },
  // Where it announces when, we go first, by so little that the watch has no gap worth naming.
  keepAliveTimeoutThreshold: 100,
};

export function askOnce(target: HttpTarget, means: HttpMeans): Attempt {
  const own = new URL(target.url);
  const { origin, pathname, search } = own;
  const connections: Connection[] = [];
  let phase: ProbePhase | undefined;
  let lastIsOwn = true;

  const connect: buildConnector.connector = (to, callback) => {
    const { host, hostname, protocol, port } = to;
    lastIsOwn = protocol === own.protocol && host === own.host;
    const secure =
      protocol === 'https:' ? secureFor(target, { hostname, isOwn: lastIsOwn }, means) : undefined;
    const connection = new Connection({
      ...{ host: hostname, port: Number(port || (secure ? 443 : 80)), secure },
      lookup: means.lookup,
    });
    connections.push(connection);
    phase = undefined;
    connection.whenOpen((error) =>
      error ? callback(error, null) : callback(null, connection.socket),
    );
  };

  const dispatcher =
    target.redirects > 0
      ? new Agent({ ...patient, connections: 1, connect })
      : new Client(origin, { ...patient, connect });
  const asked =
    target.redirects > 0
      ? dispatcher.compose(ownHeaders(target, origin), following(target.redirects))
      : dispatcher;

  const verdict = new Promise<Verdict>((resolve, reject) => {
    const body = boundedBody(target.body, target.bodyLimitBytes);
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => (phase = 'headers'),
      onResponseStart: (_controller, status, headers, statusText) => {
        // Of 1xx there may be any number before the answer.
        if (status < 200) return;
        const location =
          target.redirects > 0 && isRedirect(status) ? headers['location'] : undefined;
        if (location !== undefined || !target.statuses.some(holds(status))) {
          const words = `status ${status} ${statusText ?? ''}`.trim();
          const after = `, redirect to ${shownUrl(String(location))} after ${target.redirects} redirects`;
          resolve({ passed: false, kind: 'status', reason: words + (location ? after : '') });
        } else phase = 'body';
      },
      onResponseData: (_controller, chunk) => {
        if (phase === 'body' && body.add(chunk)) {
          resolve(body.judge(false));
          for (const { socket } of connections) socket.destroy();
        }
      },
      onResponseEnd: () => {
        if (phase === 'body') resolve(body.judge(true));
      },
      onResponseError: (_controller, error) => reject(connections.at(-1)?.firstError ?? error),
    };
    asked.dispatch(
      {
        ...{ origin, path: pathname + search, method: target.method },
        // False and not left out: after a HEAD undici would close by itself.
        ...{ headers: headersOf(target), reset: !target.keepIdle },
      },
      handler,
    );
  });

  const close = () => {
    // Not awaited: a peer that does not close must not hold up the next probe.
    dispatcher.destroy().catch(() => {});
    // undici knows of no connection before it is open.
    for (const connection of connections) connection.close();
  };
  return {
    get phase() {
      return phase ?? connections.at(-1)?.phase ?? 'connect';
    },
    verdict,
    release: () => {
      const last = connections.at(-1);
      // Where it is off or the answer was the last on its connection, undici has hung up; we have
      // where the answer was not read to its end. Of another server it would tell nothing of this one.
      if (!last || !lastIsOwn || last.socket.destroyed) {
        close();
        return undefined;
      }
      for (const connection of connections) if (connection !== last) connection.close();
      return last;
    },
    close,
  };
}

const following = (maxRedirections: number) => interceptors.redirect({ maxRedirections });

/**
 * undici drops the Host header at each redirect, and takes most others along to other servers.
 * What was given is for the target's own server, there each time, and for no other.
 */
const ownHeaders =
  (target: HttpTarget, own: string): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) => {
    const isOwn = String(options.origin) === own;
    return dispatch({ ...options, headers: isOwn ? headersOf(target) : ourAgent }, handler);
  };

const isRedirect = (status: number) => [300, 301, 302, 303, 307, 308].includes(status);

const holds =
  (status: number) =>
  ({ from, to }: StatusRange) =>
    status >= from && status <= to;

const ourAgent = ['user-agent', 'rollcall'];

function headersOf({ headers, host }: HttpTarget): string[] {
  const named = headers.some((name, n) => n % 2 === 0 && name.toLowerCase() === 'user-agent');
  return [...(host === undefined ? [] : ['host', host]), ...(named ? [] : ourAgent), ...headers];
}

interface Server {
  readonly hostname: string;
  /** It is that of the target's URL, scheme and port included. */
  readonly isOwn: boolean;
}

/** Where a redirect leads elsewhere, the names that were given for the target do not hold. */
function secureFor(target: HttpTarget, to: Server, means: HttpMeans): SecurePlan {
  const { tls, host, url } = target;
  const isSameHost = to.hostname === unbracketed(new URL(url).hostname);
  const given = isSameHost ? tls?.serverName : undefined;
  const name = given ?? (to.isOwn ? withoutPort(host) : undefined) ?? to.hostname;
  return {
    context: means.secureContext,
    serverName: isIP(unbracketed(name)) ? undefined : name,
    insecure: tls?.insecure ?? false,
  };
}

const withoutPort = (host: string | undefined) => host?.replace(/:\d+$/, '');
const unbracketed = (host: string) => host.replace(/^\[(.*)\]$/, '$1');
