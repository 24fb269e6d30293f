/**
 * What a prefix has been, as plain maps: the model that a mirror is held against. A wipe begins
 * another era, with revisions of its own. Pure.
 */
import type { Snapshot } from '../../src/registry/snapshot.ts';
import type { Change } from './etcd-writer.ts';

type Content = ReadonlyMap<string, string>;

interface Moment {
  readonly revision: number;
  readonly content: Content;
}

export class StorePast {
  readonly #eras: Moment[][] = [[{ revision: 1, content: new Map() }]];
  /** Value to key. */
  readonly #ever = new Map<string, string>();
  #writtenAt = new Map<string, number>();
  #revision = 1;
  /** The era of the moment that was recognised last. */
  #recognised = 0;

  get wipes(): number {
    return this.#eras.length - 1;
  }

  get revision(): number {
    return this.#revision;
  }

  /** How many values it ever had. */
  get valuesEver(): number {
    return this.#ever.size;
  }

  get content(): Content {
    return this.#eras.at(-1)?.at(-1)?.content ?? new Map();
  }

  wrote(changes: readonly Change[], revision: number): void {
    const content = new Map(this.content);
    for (const [key, value] of changes) {
      if (value === undefined) content.delete(key);
      else content.set(key, value);
      if (value !== undefined) this.#ever.set(value, key);
      this.#writtenAt.set(key, revision);
    }
    this.#eras.at(-1)?.push({ revision, content });
    this.#revision = revision;
  }

  wiped(): void {
    this.#eras.push([{ revision: 1, content: new Map() }]);
    this.#writtenAt = new Map();
    this.#revision = 1;
  }

  /** Was there a moment, in this era or a later one than the last time, that looked like this? */
  recognises({ keys, revision }: Snapshot): boolean {
    for (let era = this.#recognised; era < this.#eras.length; era += 1) {
      const moment = this.#eras[era]?.findLast((one) => one.revision <= revision);
      if (!moment || !sameContent(moment.content, keys)) continue;
      this.#recognised = era;
      return true;
    }
    return false;
  }

  /** Has each of these keys had its value once? Values must differ for this. */
  hasHad({ keys }: Snapshot): boolean {
    return keys.values().every(({ key, value }) => this.#ever.get(value) === key);
  }

  /** Must somebody who knew another store up to this revision see that this is not the same one? */
  givesAway(revision: number): boolean {
    const untouched = [...this.content.keys()].map((key) => this.#writtenAt.get(key) ?? 0);
    return this.#revision < revision || untouched.some((at) => at <= revision);
  }
}

export const sameContent = (content: Content, keys: Snapshot['keys']): boolean =>
  content.size === keys.size &&
  [...content].every(([key, value]) => keys.get(key)?.value === value);
