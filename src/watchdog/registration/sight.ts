/**
 * What etcd holds of the three keys that concern one watchdog (its key, the record beside it, and an
 * operator's order to drain), read at one revision, and how the key was last seen to stand.
 */
import { type DrainOrder, readDrainOrder } from '../../registry/drain-order.ts';
import type { LeaseStore, StoredKey } from '../../registry/store.ts';

export interface SightSettings {
  readonly key: string;
  readonly recordKey: string;
  /** Of an operator's order to drain. */
  readonly orderKey: string;
}

export interface Found {
  readonly key: StoredKey | undefined;
  readonly record: StoredKey | undefined;
  readonly order: StoredKey | undefined;
}

/** How the key stands, by what etcd last said. */
export type Standing =
  | { readonly kind: 'unknown' }
  /** Ours, written at this revision. */
  | { readonly kind: 'held'; readonly revision: number }
  /** It went at this revision or before, and balancers are told of it by what was written then. */
  | { readonly kind: 'gone'; readonly revision: number }
  /** Somebody else's: another watchdog's, or put by hand. */
  | { readonly kind: 'not ours' };

export class Sight {
  readonly #settings: SightSettings;
  readonly #store: Pick<LeaseStore, 'readKeys'>;
  #order: DrainOrder | undefined;
  standing: Standing = { kind: 'unknown' };

  constructor(settings: SightSettings, store: Pick<LeaseStore, 'readKeys'>) {
    this.#settings = settings;
    this.#store = store;
  }

  /** An operator wants the backend drained. */
  get order(): DrainOrder | undefined {
    return this.#order;
  }

  async read(signal: AbortSignal): Promise<Found> {
    const { key, recordKey, orderKey } = this.#settings;
    const [foundKey, record, order] = await this.#store.readKeys(
      [key, recordKey, orderKey],
      signal,
    );
    this.#order = order && readDrainOrder(order.value);
    return { key: foundKey, record, order };
  }
}
