/** What a probe asks, and what it takes for a pass. Pure data, complete: nothing is left to default. */
import type { BodyMatch } from './body-match.ts';

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export interface TlsTarget {
  /** PEM. None: the authorities that Node brings. */
  readonly ca?: string | undefined;
  /** PEM: shown to a server that asks who we are. */
  readonly client?: { readonly cert: string; readonly key: string } | undefined;
  /** What the certificate must be for. None: the name that is asked for. */
  readonly serverName?: string | undefined;
  /** Any certificate will do. */
  readonly insecure: boolean;
}

interface AnyTarget {
  /** For the whole of a probe, from the name look-up to the last byte. */
  readonly timeoutMs: number;
  /** Keep the connection of the last probe that passed, to notice when it closes. */
  readonly keepIdle: boolean;
}

export interface HttpTarget extends AnyTarget {
  readonly kind: 'http';
  /** http:// or https:// */
  readonly url: string;
  readonly method: string;
  readonly statuses: readonly StatusRange[];
  /** Name and value by turns. */
  readonly headers: readonly string[];
  /** Instead of the URL's, in the Host header. */
  readonly host?: string | undefined;
  readonly body?: BodyMatch | undefined;
  /** No more of the body than this is read. */
  readonly bodyLimitBytes: number;
  /** So many are followed; 0: a redirect is an answer like any other. */
  readonly redirects: number;
  readonly tls?: TlsTarget | undefined;
}

export interface TcpTarget extends AnyTarget {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

export type ProbeTarget = HttpTarget | TcpTarget;

/**
 * A URL as it may be shown: without its query, its fragment and who asks, which may be secrets.
 * Takes what a server says too, such as a relative Location.
 */
export const shownUrl = (url: string): string =>
  url
    .replace(/#.*$/s, '')
    .replace(/\?.+$/s, '?...')
    .replace(/^([a-z]+:)?([/\\]{2})[^/\\?]*@/i, '$1$2');
