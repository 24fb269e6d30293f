/**
 * One fresh connection to a backend, plain or with TLS, that knows how far it has come and
 * who closed it. It has no deadline of its own: whoever opens it closes it.
 */
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { codeOf } from '../../lib/errors.ts';
import type { ProbePhase } from './result.ts';

export interface SecurePlan {
  readonly context: SecureContext | undefined;
  /** For SNI and for the certificate; an address may not be asked for. */
  readonly serverName: string | undefined;
  readonly insecure: boolean;
}

export interface ConnectionPlan {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly secure?: SecurePlan | undefined;
  readonly lookup: LookupFunction;
}

export class Connection {
  readonly socket: Socket;
  phase: ProbePhase;
  readonly #opensWith: 'connect' | 'secureConnect';
  #firstError: Error | undefined;
  #onPeerClose: (() => void) | undefined;

  constructor(plan: ConnectionPlan) {
    this.phase = isIP(plan.host) ? 'connect' : 'lookup';
    this.#opensWith = plan.secure ? 'secureConnect' : 'connect';
    this.socket = open(plan);
    this.socket
      .setNoDelay(true)
      .once('lookup', (error) => {
        if (!error) this.phase = 'connect';
      })
      .once('connect', () => (this.phase = plan.secure ? 'tls' : 'headers'))
      .once('secureConnect', () => (this.phase = 'headers'))
      .once('end', () => this.#peerClosed())
      .on('error', (error) => {
        // undici hangs up with errors of its own, such as at the end of an announced Keep-Alive.
        if (codeOf(error)?.startsWith('UND_')) return;
        this.#firstError ??= error;
        this.#peerClosed();
      });
  }

  /** Calls back once: open for what is to be said on it, or the reason why it never will be. */
  whenOpen(then: (error: Error | undefined) => void): void {
    const { socket } = this;
    const settled = (error?: Error) => {
      socket.off('error', settled).off('close', closed).off(this.#opensWith, opened);
      then(error);
    };
    const opened = () => settled();
    const closed = () => settled(new Error('given up'));
    socket.on('error', settled).on('close', closed).on(this.#opensWith, opened);
  }

  /** What went wrong first: a TLS alert that refuses us is followed by an end like any other. */
  get firstError(): Error | undefined {
    return this.#firstError;
  }

  /** From now on it keeps no process alive, and tells when the other side closes it. */
  watch(onPeerClose: () => void): void {
    this.socket.unref();
    this.#onPeerClose = onPeerClose;
  }

  /** Ours: nobody is told. */
  close(): void {
    this.#onPeerClose = undefined;
    this.socket.destroy();
  }

  #peerClosed(): void {
    this.#onPeerClose?.();
    this.#onPeerClose = undefined;
  }
}

function open({ host, port, secure, lookup }: ConnectionPlan): Socket {
  if (!secure) return connectTcp({ host, port, lookup });
  return connectTls({
    ...{ host, port, lookup, ALPNProtocols: ['http/1.1'] },
    ...{ rejectUnauthorized: !secure.insecure },
    ...(secure.context && { secureContext: secure.context }),
    ...(secure.serverName !== undefined && { servername: secure.serverName }),
  });
}
