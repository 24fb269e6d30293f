/**
 * Renews a lease over one stream that stays open: a stream per renewal costs a
 * sidecar most of its CPU. One renewal at a time. A stream that failed, or that did
 * not answer in time, is thrown away, so that a late answer to an earlier renewal
 * is never taken for the answer to this one.
 */
import type { Etcd3, ILeaseKeepAliveRequest, ILeaseKeepAliveResponse, IDuplexStream } from 'etcd3';
import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { CodedError } from '../lib/errors.ts';
import { type EtcdEndpoints, shortCall } from './etcd-endpoints.ts';

type Stream = IDuplexStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>;

interface OpenStream {
  readonly stream: Stream;
  answer?: (response: ILeaseKeepAliveResponse) => void;
  fail?: (error: Error) => void;
}

export class KeepAlive implements Disposable {
  readonly #endpoints: EtcdEndpoints;
  readonly #clock: Clock;
  #client: Etcd3 | undefined;
  #open: OpenStream | undefined;

  constructor(endpoints: EtcdEndpoints, clock: Clock) {
    this.#endpoints = endpoints;
    this.#clock = clock;
  }

  /** @returns the granted TTL in milliseconds, or 0 when the lease is gone. */
  async renew(leaseId: string, signal: AbortSignal): Promise<number> {
    return await withDeadline(
      { what: 'etcd lease renewal', timeoutMs: shortCall.budgetMs, clock: this.#clock },
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
    try {
      return await withDeadline(
        {
          what: `etcd lease renewal at ${this.#endpoints.url}`,
          timeoutMs: shortCall.tryMs,
          clock: this.#clock,
        },
        async (inTime) => {
          const open = (this.#open ??= await this.#connect(inTime));
          const answer = await new Promise<ILeaseKeepAliveResponse>((resolve, reject) => {
            open.answer = resolve;
            open.fail = reject;
            open.stream.write({ ID: leaseId });
          });
          return Number(answer.TTL) * 1000;
        },
        signal,
      );
    } catch (error) {
      this[Symbol.dispose]();
      this.#endpoints.next();
      throw error;
    }
  }

  async #connect(inTime: AbortSignal): Promise<OpenStream> {
    this.#client = this.#endpoints.open();
    const stream = await this.#client.leaseClient.leaseKeepAlive();
    const open: OpenStream = { stream };
    const drop = (error: Error) => {
      open.fail?.(error);
      if (this.#open === open) this[Symbol.dispose]();
    };
    stream.on('data', (response) => open.answer?.(response));
    stream.on('error', drop);
    stream.on('end', () => drop(new CodedError('STREAM_ENDED', 'etcd ended the renewal stream')));
    // Too late: nobody waits for this stream any more.
    if (inTime.aborted) stream.cancel();
    inTime.throwIfAborted();
    return open;
  }

  [Symbol.dispose](): void {
    this.#open?.stream.cancel();
    this.#open = undefined;
    if (this.#client) this.#endpoints.close(this.#client);
    this.#client = undefined;
  }
}
