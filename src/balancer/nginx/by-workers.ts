/**
 * Which generation nginx serves, told from its processes alone, for a file that has no
 * place that answers with it. Pure. A generation counts once workers serve and none of
 * those that served before its reload does. Whatever else may have changed what nginx
 * serves (a restart, a reload by hand) makes it unknown, so that one reload of ours puts
 * that right.
 */
import type { NginxAnswer } from './answer.ts';
import type { Workers } from './workers.ts';

/** Of a master, by the numbers of its workers. */
interface Serving {
  readonly generation: string;
  readonly master: string;
  readonly pids: ReadonlySet<number>;
}

/** A reload that was asked for, with those that served before it. */
interface Awaited extends Serving {
  /** How many times all workers must have changed until they are those of this reload. */
  readonly changes: number;
}

const unknown = 'unknown';

export class WorkersWitness {
  #believed: Serving | undefined;
  #awaited: Awaited | undefined;

  /**
   * To be called before each SIGHUP, once the new file is in place.
   * @param before what was read just now.
   */
  told(generation: string, before: Workers | undefined): void {
    if (before === undefined) {
      // Who comes next may be of this reload or of one before it.
      this.#awaited = undefined;
      return;
    }
    this.#look(before);
    const { master, serving } = before;
    const earlier = this.#awaited;
    // An nginx that is still reading the file before this one forks workers for that one
    // first. Asked twice for the same, it does not matter which of the two they are for.
    const comesFirst =
      earlier !== undefined &&
      earlier.generation !== generation &&
      earlier.changes > (serving.some((pid) => !earlier.pids.has(pid)) ? 1 : 0);
    this.#awaited = { generation, master, pids: new Set(serving), changes: comesFirst ? 2 : 1 };
  }

  answer(now: Workers | undefined): NginxAnswer {
    if (now === undefined) {
      const reason =
        "nginx's processes cannot be seen from here: it is not running, or runs in another pid namespace, or /proc hides it";
      return { kind: 'silent', reason };
    }
    this.#look(now);
    if (now.serving.length === 0) return { kind: 'silent', reason: 'nginx is not running' };
    return { kind: 'serves', generation: this.#believed?.generation ?? unknown };
  }

  #look({ master, serving }: Workers): void {
    const changed = (since: Serving) => !serving.some((pid) => since.pids.has(pid));
    const awaited = this.#awaited;
    if (awaited === undefined) {
      const believed = this.#believed;
      if (believed && (believed.master !== master || changed(believed))) this.#believed = undefined;
    } else if (awaited.master !== master) {
      this.#awaited = undefined;
      this.#believed = undefined;
    } else if (serving.length > 0 && changed(awaited)) {
      const { generation, changes } = awaited;
      const pids = new Set(serving);
      this.#believed = changes > 1 ? undefined : { generation, master, pids };
      this.#awaited = changes > 1 ? { generation, master, pids, changes: changes - 1 } : undefined;
    }
  }
}
