/**
 * How far is a drain? Pure: one look, and what was seen before it. It is over only on one look in
 * which the key is absent, the order stands, and every live balancer has confirmed a revision at
 * which the key was absent already.
 *
 * That revision is the one of the watchdog's record that says so, which it writes with the deletion of
 * the key that we have seen; else it is one of our own: the order is put once more, as it is, on
 * condition that the key is absent.
 */
import { type Confirmations, confirmationsIn, type DrainUntil } from '../registry/confirmation.ts';
import type { WatchdogRecord } from '../registry/record.ts';
import type { Guard, StoredKey, Write } from '../registry/store.ts';
import { type Look, type Places, unreadIn, watchdogIn } from './look.ts';

/** What was seen before. */
export interface DrainMemory {
  /** Of the latest look: a store that counts less, or is another one, was restored. */
  readonly seen: Pick<Look, 'clusterId' | 'revision'> | undefined;
  /** The latest at which the key was seen; 0: it was not. */
  readonly presentAt: number;
  /** The key was absent at this revision, and in every look since. */
  readonly absentAt: number | undefined;
  /** It is there after it was absent. */
  readonly isBack: boolean;
}

export const nothingSeen: DrainMemory = {
  ...{ seen: undefined, presentAt: 0, absentAt: undefined, isBack: false },
};

export type DrainState =
  /** Taken back, or lost with a restore. */
  | { readonly kind: 'no order' }
  | {
      readonly kind: 'key there';
      readonly key: StoredKey;
      readonly watchdog: WatchdogRecord | undefined;
      /** Why its record cannot be read. */
      readonly unread: string | undefined;
      /** It was absent before. */
      readonly again: boolean;
    }
  /** To be written, so that there is a revision to confirm. */
  | {
      readonly kind: 'to ask';
      readonly guards: readonly Guard[];
      readonly writes: readonly Write[];
    }
  | { readonly kind: 'confirming'; readonly by: Confirmations }
  | { readonly kind: 'over'; readonly by: Confirmations };

export interface DrainAwaited {
  readonly places: Pick<Places, 'key' | 'orderKey'>;
  readonly until: DrainUntil;
  /** At least so many balancers. */
  readonly balancers: number;
}

export function judgeDrain(
  before: DrainMemory,
  look: Look,
  { places, until, balancers }: DrainAwaited,
): { readonly memory: DrainMemory; readonly state: DrainState; readonly restored: boolean } {
  const { key, record, order, clusterId, revision, acknowledgements: below } = look;
  const restored = isRestored(before, look);
  const { presentAt, absentAt, isBack } = restored ? nothingSeen : before;
  const seen = { clusterId, revision };
  const judged = (state: DrainState, rest: Partial<DrainMemory> = {}) => ({
    ...{ restored, state, memory: { seen, presentAt, absentAt, isBack, ...rest } },
  });
  if (!order) return judged({ kind: 'no order' }, { absentAt: undefined });
  if (key) {
    const watchdog = watchdogIn(record);
    const again = isBack || absentAt !== undefined;
    return judged(
      { kind: 'key there', key, watchdog, unread: unreadIn(record), again },
      { presentAt: revision, absentAt: undefined, isBack: again },
    );
  }
  if (balancers === 0 && below.length === 0) {
    return judged({ kind: 'over', by: { confirmed: [], missing: [] } });
  }
  const absentSince = absentAt ?? absentByRecord(record, presentAt);
  if (absentSince === undefined) return judged({ kind: 'to ask', ...asking(places, order) });
  const by = confirmationsIn(
    { clusterId, below },
    { kind: 'gone', revision: absentSince, until },
    balancers,
  );
  const isOver = by.missing.length === 0;
  return judged({ kind: isOver ? 'over' : 'confirming', by }, { absentAt: absentSince });
}

const isRestored = ({ seen }: DrainMemory, { clusterId, revision }: Look) =>
  seen !== undefined && (revision < seen.revision || clusterId !== seen.clusterId);

/**
 * A record from before the key was last seen speaks of another absence; where the key was not seen at
 * all, nobody knows of which.
 */
function absentByRecord(record: StoredKey | undefined, presentAt: number): number | undefined {
  const isDrained = watchdogIn(record)?.drain != null;
  const isSince = presentAt > 0 && record !== undefined && record.modRevision > presentAt;
  return isSince && isDrained ? record.modRevision : undefined;
}

/** The same text again: a revision at which the key is absent for certain. */
const asking = (
  { key, orderKey }: DrainAwaited['places'],
  { value, modRevision }: StoredKey,
): { readonly guards: readonly Guard[]; readonly writes: readonly Write[] } => ({
  guards: [
    { key, modRevision: 0 },
    { key: orderKey, modRevision },
  ],
  writes: [{ kind: 'put', key: orderKey, value, leaseId: '0' }],
});
