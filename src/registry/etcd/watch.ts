/**
 * One watch, of one or more ranges on one stream, on a client of its own, from its opening until it
 * ends; it never resumes by itself. etcd has to confirm all of it in time. It ends when etcd says so, when its member has no leader any more,
 * when the connection ends, and when the caller has had enough; not when certificates are rotated,
 * since etcd looks at them only when a connection begins.
 */
import type { IWatchCreateRequest, IWatchResponse } from 'etcd3';
import type { Clock } from '../../lib/clock.ts';
import { withLeader } from './client.ts';
import { type Ended, type EtcdEndpoints, shortCall, type StreamClient } from './endpoints.ts';
import type { Task } from './explain.ts';
import { isFault, StreamEnded } from './faults.ts';

/** etcd confirms a watch at once; a watch that stays silent for this long is dead. */
export const watchReadyMs = 2000;

export interface WatchPlan {
  readonly task: Task;
  readonly requests: readonly IWatchCreateRequest[];
  readonly onReady?: () => void;
  readonly onEvents: (events: IWatchResponse['events']) => void;
}

/** @throws EtcdFault; the signal's reason. */
export async function watchUntilItEnds(
  endpoints: EtcdEndpoints,
  plan: WatchPlan,
  clock: Clock,
  signal: AbortSignal,
): Promise<never> {
  for (let again = false; ; again = true) {
    let ended: Ended | undefined;
    try {
      using stream = await endpoints.open(plan.task, signal);
      ended = stream;
      return await watchOn(stream, plan, clock, signal);
    } catch (error) {
      signal.throwIfAborted();
      const fault = endpoints.streamFailed(plan.task, error, ended, watchReadyMs);
      // A token that ended looks like a permission that is missing. A read of the same keys
      // tells, and has the token renewed; so it fails with the reason, or once more is enough.
      if (again || !isFault(fault, 'ETCD_PERMISSION', 'ETCD_TOKEN')) throw fault;
      await mayRead(endpoints, plan, signal);
    }
  }
}

async function mayRead(endpoints: EtcdEndpoints, plan: WatchPlan, signal: AbortSignal) {
  for (const { key, range_end } of plan.requests) {
    const what = { ...(key && { key }), ...(range_end && { range_end }) };
    const range = { ...what, limit: 1, keys_only: true };
    await endpoints.call(
      plan.task,
      shortCall,
      ({ kv }, options) => kv.range(range, options),
      signal,
    );
  }
}

async function watchOn(
  { client, options }: StreamClient,
  { requests, onReady, onEvents }: WatchPlan,
  clock: Clock,
  signal: AbortSignal,
): Promise<never> {
  const failure = Promise.withResolvers<never>();
  const failed = (reason: string) => failure.reject(new StreamEnded(reason));
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  let created = 0;

  signal.addEventListener('abort', () => failure.reject(signal.reason), {
    signal: over.signal,
  });
  void clock.sleep(watchReadyMs, stop).then(() => {
    if (created < requests.length && !stop.aborted)
      failed(`etcd did not confirm the watch within ${watchReadyMs} ms`);
  });
  const opened = client.watchClient.watch(withLeader(options)).then((stream) => {
    stream.on('data', (response: IWatchResponse) => {
      if (over.signal.aborted) return;
      if (response.canceled)
        return failed(`etcd canceled the watch: ${response.cancel_reason || 'no reason given'}`);
      if (response.created) {
        created += 1;
        if (created === requests.length) onReady?.();
      }
      if (response.events.length > 0) onEvents(response.events);
    });
    stream.on('error', (error) => failure.reject(error));
    stream.on('end', () => failed('etcd ended the watch'));
    if (over.signal.aborted) stream.cancel();
    else for (const request of requests) stream.write({ create_request: request });
    return stream;
  });
  opened.catch((error: unknown) => failure.reject(error));
  try {
    signal.throwIfAborted();
    return await failure.promise;
  } finally {
    over.abort();
    void opened.then((stream) => stream.cancel()).catch(() => {});
  }
}
