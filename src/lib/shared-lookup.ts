/**
 * A name is looked up afresh each time, but never twice at a time: who asks while an answer
 * is under way gets that answer. A look-up takes a thread of Node's few and cannot be
 * cancelled, so with a slow DNS those that nobody waits for any more would pile up and
 * stall everything else that needs a thread. Who is tired of waiting simply goes.
 */
import type { LookupFunction } from 'node:net';

type Callback = Parameters<LookupFunction>[2];

export function sharedLookup(lookup: LookupFunction): LookupFunction {
  const underWay = new Map<string, Set<Callback>>();
  return (hostname, options, callback) => {
    const question = JSON.stringify([hostname, options.family, options.hints, options.all]);
    const waiting = underWay.get(question);
    if (waiting) {
      waiting.add(callback);
      return;
    }
    const callbacks = new Set([callback]);
    underWay.set(question, callbacks);
    lookup(hostname, options, (...answer) => {
      underWay.delete(question);
      for (const told of callbacks) told(...answer);
    });
  };
}
