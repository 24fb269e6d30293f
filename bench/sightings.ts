/** When something was first seen up or down since it last was the other, by name. */
export class Sightings {
  readonly #states = new Map<string, { readonly up: boolean; readonly atMs: number }>();
  readonly #waiting = new Set<{ look: () => void; reject: (error: unknown) => void }>();

  saw(name: string, up: boolean): void {
    if (this.#states.get(name)?.up === up) return;
    this.#states.set(name, { up, atMs: performance.now() });
    for (const { look } of this.#waiting) look();
  }

  /** Whoever watches cannot any more: nor can anybody wait for it. */
  fail(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error);
  }

  /** @returns when it was first seen so, in milliseconds of performance.now(). */
  async whenSeen(name: string, up: boolean, withinMs: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const look = () => {
      const state = this.#states.get(name);
      if (state?.up === up) resolve(state.atMs);
    };
    const waiter = { look, reject };
    this.#waiting.add(waiter);
    const timer = setTimeout(() => {
      reject(new Error(`${name} not seen ${up ? 'up' : 'down'} within ${withinMs} ms`));
    }, withinMs);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(waiter);
    });
  }
}
