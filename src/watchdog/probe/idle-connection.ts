/**
 * The one idle connection that is kept between probes. It is that of the newest probe that
 * passed, until the next probe begins: while that one is under way its own connection shows
 * a death, and a server with a worker for each connection gets its worker back for it.
 */
import type { Connection } from './connection.ts';

export class IdleConnection implements Disposable {
  readonly #onIdleClose: () => void;
  #begun = 0;
  #newestPassed = 0;
  #kept: Connection | undefined;
  #disposed = false;

  constructor(onIdleClose: () => void) {
    this.#onIdleClose = onIdleClose;
  }

  /** A probe begins. @returns its place in the order of the probes. */
  begin(): number {
    this.#drop();
    this.#begun += 1;
    return this.#begun;
  }

  /** The probe of that place passed, and left this connection or none. */
  passed(place: number, connection: Connection | undefined): void {
    if (place < this.#newestPassed || this.#disposed) return connection?.close();
    this.#drop();
    this.#newestPassed = place;
    this.#kept = connection;
    connection?.watch(() => {
      this.#kept = undefined;
      this.#onIdleClose();
    });
  }

  #drop(): void {
    this.#kept?.close();
    this.#kept = undefined;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#drop();
  }
}
