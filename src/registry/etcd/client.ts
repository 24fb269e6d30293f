/**
 * One etcd3 client for one endpoint, with none of the client's own policies: its breaker refuses
 * calls for 5 s after etcd is well again, its retries triple every deadline, and its own
 * authentication has no deadline at all.
 */
import { Etcd3, type IOptions } from 'etcd3';
import type { EtcdCredentials } from './credentials.ts';
import { EtcdFault, reasonOf, tokenRefused } from './faults.ts';
import type { Token } from './tokens.ts';

export type CallOptions = NonNullable<Parameters<Etcd3['kv']['range']>[1]>;
type Interceptor = NonNullable<CallOptions['interceptors']>[number];
type Call = ReturnType<Interceptor>;
type Listener = NonNullable<Parameters<Call['start']>[1]>;

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;
const noPolicy = { execute: async (work: () => unknown) => await work() } as unknown as Policy;

/** A range of many keys in one answer: 4 MiB, the default, is too little. */
const maxAnswerBytes = 64 * 1024 * 1024;

export interface ClientPlan {
  readonly url: string;
  readonly credentials: EtcdCredentials;
  /** The name that the endpoint's certificate must have, where it is not that of the URL. */
  readonly serverName: string | undefined;
}

/** How many were made in this process. */
let made = 0;

/** @throws EtcdFault when the certificates cannot be used together. */
export function newClient(plan: ClientPlan): Etcd3 {
  made += 1;
  try {
    return new Etcd3(optionsOf(plan));
  } catch (error) {
    throw new EtcdFault(
      'ETCD_REFUSED',
      `etcd at ${plan.url}: no connection can be made with these certificates: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

function optionsOf({ url, credentials, serverName }: ClientPlan): IOptions {
  const { ca, cert, key } = credentials;
  return {
    hosts: url,
    ...(url.startsWith('https:') && {
      // Without an authority of its own it is the system's, which the types do not foresee.
      credentials: { rootCertificate: ca, certChain: cert, privateKey: key } as NonNullable<
        IOptions['credentials']
      >,
    }),
    faultHandling: { global: noPolicy, host: () => noPolicy },
    grpcOptions: {
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.max_receive_message_length': maxAnswerBytes,
      'grpc.keepalive_time_ms': 5000,
      'grpc.keepalive_timeout_ms': 2000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
      // grpc-js shares connections between clients with equal options; a fresh client must
      // mean a fresh connection, so each one's options differ in this.
      'rollcall.client': made,
    },
  };
}

/** Call options that send the token, for unary calls and streams alike. */
export const withToken = (token: Token): CallOptions =>
  token === undefined ? {} : { interceptors: [sending('token', token, rewording)] };

/** For a stream that must not outlive the quorum: without this, a member that lost it is silent. */
export const withLeader = (options: CallOptions): CallOptions => ({
  ...options,
  interceptors: [...(options.interceptors ?? []), sending('hasleader', 'true')],
});

/** etcd3 takes no metadata for a call, so an interceptor puts them in. */
const sending =
  (name: string, value: string, listening = (listener: Listener) => listener): Interceptor =>
  (options, nextCall) => {
    const call = nextCall(options) as Call;
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      metadata.set(name, value);
      start(metadata, listener && listening(listener));
    };
    return call;
  };

/** See `tokenRefused`. */
const rewording = (listener: Listener): Listener => ({
  onReceiveMetadata: (metadata) => listener.onReceiveMetadata?.(metadata),
  onReceiveMessage: (message: unknown) => listener.onReceiveMessage?.(message),
  onReceiveStatus: (status) =>
    listener.onReceiveStatus?.(
      /invalid auth token/.test(status.details) ? { ...status, details: tokenRefused } : status,
    ),
});
