/**
 * What an operator should know of the way to etcd, beside the calls that fail. Each is told
 * when it happens, and not again while it lasts.
 */
import type { Notices } from '../../lib/log.ts';

export type EtcdEvent =
  /** New certificates or a new password are in use. */
  | { readonly kind: 'credentials-changed' }
  /** What stands in the files now cannot be used: the ones before stay in use. */
  | { readonly kind: 'credentials-kept'; readonly reason: string }
  /** etcd accepts user and password, after it had not. */
  | { readonly kind: 'authenticated'; readonly user: string }
  | { readonly kind: 'authentication-failed'; readonly user: string; readonly reason: string }
  /** There are a user and a password, and etcd asks for none. */
  | { readonly kind: 'authentication-off' }
  /** The password goes over the network as it is. */
  | { readonly kind: 'password-in-clear' };

export type OnEtcdEvent = (event: EtcdEvent) => void;

export function tellEtcdEvent(event: EtcdEvent, notices: Notices): void {
  switch (event.kind) {
    case 'credentials-changed':
      notices.clear('etcd credentials');
      return notices.news('info', 'etcd: new certificates or password in use');
    case 'credentials-kept':
      return notices.tell(
        'etcd credentials',
        'warn',
        `etcd: the files changed and cannot be used, so what was read before stays in use: ${event.reason}`,
      );
    case 'authenticated':
      return notices.clear('etcd user', 'etcd: user and password are accepted again');
    case 'authentication-failed':
      return notices.tell('etcd user', 'error', `etcd: user ${event.user}: ${event.reason}`);
    case 'authentication-off':
      return notices.tell(
        'etcd authentication',
        'warn',
        'etcd: authentication is not enabled there, so user and password are not used',
      );
    case 'password-in-clear':
      return notices.tell(
        'etcd password',
        'warn',
        'etcd: the password goes over the network unencrypted: use https:// endpoints',
      );
    default:
      event satisfies never;
  }
}
