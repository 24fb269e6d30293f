/** An etcd of four keys with records and orders beside them, and a balancer's copies that hear of it late. */
import * as fc from 'fast-check';
import { drainOrderKey } from '../../src/registry/drain-order.ts';
import { recordKey, type WatchdogRecord } from '../../src/registry/record.ts';
import {
  firstSnapshot,
  foldEvents,
  foldListing,
  type Snapshot,
} from '../../src/registry/snapshot.ts';
import type { StoredKey, StoreEvent } from '../../src/registry/store.ts';
import { recordOf, storedKey } from '../support/builders.ts';

const names = ['a', 'b', 'c', 'd'];
const keyOf = (name: string) => `/test/${name}`;
const since = '2026-01-01T00:00:00.000Z';

type Change = readonly [key: string, value: string | undefined];

/** etcd, and two copies of it that hear of everything late: of the keys, and of the records. */
export class World {
  nowMs = 0;
  #revision = 10;
  readonly #stored = new Map<string, StoredKey>();
  readonly #untold: { keys: StoreEvent[]; records: StoreEvent[] } = { keys: [], records: [] };
  readonly copies: { keys: Snapshot; records: Snapshot };
  listedAtMs = 0;
  /** The revision at which each key went that is not there. */
  readonly goneAt = new Map<string, number>();

  constructor() {
    this.change(
      ...names.map((name) => [keyOf(name), `127.0.0.1:${8000 + name.charCodeAt(0)}`] as const),
    );
    this.copies = {
      keys: firstSnapshot(this.#list('keys')),
      records: firstSnapshot(this.#list('records')),
    };
    this.#untold.keys = [];
    this.#untold.records = [];
  }

  /** All at one revision; undefined: it is deleted. */
  change(...changes: readonly (readonly [key: string, value: string | undefined])[]): void {
    this.#revision += 1;
    for (const [key, value] of changes) {
      const at = { modRevision: this.#revision, leaseId: '7' };
      const isKey = key.startsWith('/test/');
      if (value === undefined && !this.#stored.delete(key)) continue;
      if (value !== undefined) this.#stored.set(key, storedKey(key, value, at));
      if (isKey && value === undefined) this.goneAt.set(key, this.#revision);
      if (isKey && value !== undefined) this.goneAt.delete(key);
      const stored = this.#stored.get(key);
      this.#untold[isKey ? 'keys' : 'records'].push(
        stored ? { kind: 'put', stored } : { kind: 'delete', key, modRevision: at.modRevision },
      );
    }
  }

  tell(part: 'keys' | 'records'): void {
    this.copies[part] = foldEvents(this.copies[part], this.#untold[part].splice(0));
  }

  relist(part: 'keys' | 'records'): void {
    if (part === 'keys') this.listedAtMs = this.nowMs;
    const revisionWhenAsked = this.copies[part].revision;
    const context = { revisionWhenAsked, watched: false };
    this.copies[part] = foldListing(this.copies[part], this.#list(part), context);
    this.#untold[part] = [];
  }

  /** Back to an empty store of a low revision. */
  wipe(): void {
    this.#stored.clear();
    this.#revision = 3;
    this.goneAt.clear();
    this.relist('keys');
    this.relist('records');
  }

  #list(part: 'keys' | 'records') {
    const keys = [...this.#stored.values()].filter(
      ({ key }) => key.startsWith('/test/') === (part === 'keys'),
    );
    return { clusterId: 'one', revision: this.#revision, keys };
  }
}

type Step = (world: World) => void;

const record = (name: string, rest: Partial<WatchdogRecord>) =>
  [recordKey('/rollcall', keyOf(name)), JSON.stringify(recordOf(rest))] as const;
const orderOf = (name: string) => drainOrderKey('/rollcall', keyOf(name));
const drain = { by: 'operator', since };

const changes: readonly ((name: string) => readonly Change[])[] = [
  (name) => [[keyOf(name), undefined]],
  (name) => [[keyOf(name), undefined]],
  (name) => [[keyOf(name), undefined], record(name, { state: 'down' })],
  (name) => [[keyOf(name), undefined], record(name, { drain })],
  (name) => [record(name, { drain })],
  (name) => [record(name, { state: 'up' })],
  (name) => [[recordKey('/rollcall', keyOf(name)), undefined]],
  (name) => [[orderOf(name), 'go']],
  (name) => [[orderOf(name), undefined]],
  (name) => [[keyOf(name), `127.0.0.1:${8000 + name.charCodeAt(0)}`]],
];

const anyPart = fc.constantFrom('keys' as const, 'records' as const);
/** Something that happens, or that is heard of. */
export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(fc.constantFrom(...changes), fc.constantFrom(...names)).map(
      ([change, name]) =>
        (world: World) =>
          world.change(...change(name)),
    ),
  },
  { weight: 6, arbitrary: anyPart.map((part) => (world: World) => world.tell(part)) },
  { weight: 2, arbitrary: anyPart.map((part) => (world: World) => world.relist(part)) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(20, 400, 1000, 2000, 11_000)
      .map((ms) => (world: World) => void (world.nowMs += ms)),
  },
  { weight: 1, arbitrary: fc.constant((world: World) => world.wipe()) },
);
