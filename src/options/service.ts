/**
 * One service: a prefix of etcd on one side, an upstream of nginx and the requests that it
 * gets on the other. What is here was read from options by a strict grammar, so all of it can
 * stand in nginx.conf as it is.
 */
export const balanceMethods = ['round-robin', 'least-conn', 'ip-hash', 'random', 'hash'] as const;
export type BalanceMethod = (typeof balanceMethods)[number];

export interface Service {
  /** The name of the upstream, and of the service in metrics, status and state. */
  readonly name: string;
  /** Without its closing slash: each key directly below it is a backend. */
  readonly prefix: string;
  /** Values of nginx's server_name; none: every host that no other service names. */
  readonly hosts: readonly string[];
  /** Of the requests to those hosts, those whose path begins so: "/" or "/api/". */
  readonly path: string;
  readonly balance: BalanceMethod;
  /** Idle connections to the backends that each worker keeps; 0: none. */
  readonly keepalive: number;
  readonly connectTimeoutMs: number;
  readonly sendTimeoutMs: number;
  readonly readTimeoutMs: number;
}
