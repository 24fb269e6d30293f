/** A connection must come to something within a time, or it is destroyed, and the client connects afresh. */
interface Connecting {
  once(event: string, then: () => void): unknown;
  destroy(reason: Error): unknown;
}

/** @param event what it is to come to. @param what the lack of it, in words: "no TLS handshake". */
export function giveUpWithout<C extends Connecting>(
  connecting: C,
  { event, what, withinMs }: { event: string; what: string; withinMs: number },
): C {
  const timer = setTimeout(() => {
    connecting.destroy(new Error(`${what} within ${withinMs} ms`));
  }, withinMs);
  timer.unref();
  connecting.once(event, () => clearTimeout(timer));
  connecting.once('close', () => clearTimeout(timer));
  return connecting;
}
