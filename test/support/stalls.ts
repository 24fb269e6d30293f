/**
 * How much time this machine took away while a test ran: what a timer came too late, summed up.
 * A bound in time that the product promises holds while its process gets to run; this is what to
 * add where it did not.
 */
const everyMs = 20;

export interface Stalls extends Disposable {
  readonly totalMs: number;
}

export function measureStalls(): Stalls {
  let totalMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    totalMs += Math.max(0, nowMs - lastMs - everyMs);
    lastMs = nowMs;
  }, everyMs);
  return {
    get totalMs() {
      // A stall that lasts until now counts too.
      return totalMs + Math.max(0, performance.now() - lastMs - everyMs);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
