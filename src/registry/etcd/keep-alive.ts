/**
 * Renews a lease over one stream that stays open: a stream per renewal costs a
 * sidecar most of its CPU. One renewal at a time. A stream that failed, or that did
 * not answer in time, is thrown away, so that a late answer to an earlier renewal
 * is never taken for the answer to this one. When certificates are rotated, the stream
 * of before goes on until etcd has accepted the new ones: bad ones do not cost the lease.
 */
import type { IDuplexStream, ILeaseKeepAliveRequest, ILeaseKeepAliveResponse } from 'etcd3';
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { type Ended, type EtcdEndpoints, shortCall, type StreamClient } from './endpoints.ts';
import { StreamEnded } from './faults.ts';

type Stream = IDuplexStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>;

interface OpenStream {
  readonly stream: Stream;
  readonly on: StreamClient;
  answer?: (response: ILeaseKeepAliveResponse) => void;
  fail?: (error: Error) => void;
}

const task = { what: 'etcd lease renewal' };

export class KeepAlive implements Disposable {
  readonly #endpoints: EtcdEndpoints;
  readonly #clock: Clock;
  #open: OpenStream | undefined;

  constructor(endpoints: EtcdEndpoints, clock: Clock) {
    this.#endpoints = endpoints;
    this.#clock = clock;
  }

  /** @returns the granted TTL in milliseconds, or 0 when the lease is gone. */
  async renew(leaseId: string, signal: AbortSignal): Promise<number> {
    this.#endpoints.look();
    return await withDeadline(
      { ...task, timeoutMs: shortCall.budgetMs, clock: this.#clock },
      async (within) => {
        try {
          return await this.#tryOnce(leaseId, within);
        } catch {
          // The stream may have died idle, with etcd well: once more, on a new one.
          within.throwIfAborted();
          return await this.#tryOnce(leaseId, within);
        }
      },
      signal,
    );
  }

  async #tryOnce(leaseId: string, signal: AbortSignal): Promise<number> {
    if (this.#open?.on.isOutdated()) this[Symbol.dispose]();
    let ended: Ended | undefined;
    try {
      const open = (this.#open ??= await this.#connect(signal, (on) => (ended = on)));
      ended = open.on;
      const answer = await withDeadline(
        { ...task, timeoutMs: shortCall.tryMs, clock: this.#clock },
        () =>
          new Promise<ILeaseKeepAliveResponse>((resolve, reject) => {
            open.answer = resolve;
            open.fail = reject;
            open.stream.write({ ID: leaseId });
          }),
        signal,
      );
      return Number(answer.TTL) * 1000;
    } catch (error) {
      this[Symbol.dispose]();
      signal.throwIfAborted();
      throw this.#endpoints.streamFailed(task, error, ended, shortCall.tryMs);
    }
  }

  /** @param onTry told whom it goes to, should that fail. */
  async #connect(signal: AbortSignal, onTry: (on: Ended) => void): Promise<OpenStream> {
    const on = await this.#endpoints.open(task, signal);
    onTry(on);
    try {
      const stream = await on.client.leaseClient.leaseKeepAlive(on.options);
      const open: OpenStream = { stream, on };
      const drop = (error: Error) => {
        open.fail?.(error);
        if (this.#open === open) this[Symbol.dispose]();
      };
      stream.on('data', (response) => open.answer?.(response));
      stream.on('error', drop);
      stream.on('end', () => drop(new StreamEnded('etcd ended the renewal stream')));
      // Too late: nobody waits for this stream any more.
      if (signal.aborted) stream.cancel();
      signal.throwIfAborted();
      return open;
    } catch (error) {
      on[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#open?.stream.cancel();
    this.#open?.on[Symbol.dispose]();
    this.#open = undefined;
  }
}
