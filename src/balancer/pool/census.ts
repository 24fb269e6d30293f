/**
 * What is known of one service, turn by turn. Pure. From the copy of its keys and of the records
 * beside them to the backends that nginx should have, with everything that is set aside or held.
 * Before the first listing it is what was kept on disk, and before that nothing: which is not
 * the same as nobody.
 */
import type { Backend } from '../../registry/backend.ts';
import { type MirrorView, nothingKnown } from '../../registry/mirror.ts';
import { drainOrderKey } from '../../registry/drain-order.ts';
import { recordKey } from '../../registry/record.ts';
import type { Snapshot } from '../../registry/snapshot.ts';
import type { StoredKey } from '../../registry/store.ts';
import type { Service } from '../../options/service.ts';
import {
  type AbsenceRule,
  emptyRoster,
  foldRoster,
  reflectedBy,
  type Roster,
  servedOf,
} from './absence.ts';
import { type Drained, drainedIn, drainsIn } from './drains.ts';
import { emptyPool, identical, patchedPool, type Pool, poolOf } from './pool.ts';

/** The last good pool of a service, as it was kept on disk. */
export interface Remembered {
  readonly clusterId: string;
  readonly revision: number;
  readonly backends: readonly Backend[];
}

export interface Census {
  readonly service: Service;
  /** Where the knowledge comes from. */
  readonly source: 'nowhere' | 'disk' | 'etcd';
  readonly view: MirrorView;
  /** The records beside the keys; without them, no loss is explained. */
  readonly records: MirrorView;
  readonly pool: Pool;
  readonly roster: Roster;
  /** The same array until something changes. */
  readonly served: readonly Backend[];
  /** Whose keys are gone because of a drain; the same array until something changes. */
  readonly drained: readonly Drained[];
  /** Of the store: when a key of the prefix last changed, or a drain was asked for since. */
  readonly newsAtRevision: number;
  /** Every change of the prefix up to here shows in `served`, and goes on to. */
  readonly reflects: number;
  /** The store that these revisions are of. */
  readonly clusterId: string;
  /** What there is to fall back to: 'never': others were kept on disk, and this one never was. */
  readonly memory: 'kept' | 'never' | 'none';
}

/** @param remembered what goes missing of it by the first listing is lost like any other. */
export const unknownCensus = (
  service: Service,
  remembered?: Remembered,
  memory: Census['memory'] = remembered ? 'kept' : 'none',
): Census => ({
  ...{ service, source: 'nowhere', view: nothingKnown, records: nothingKnown },
  ...{ pool: emptyPool, served: [], drained: [], newsAtRevision: 0, reflects: 0 },
  roster: {
    ...emptyRoster,
    ...{ revision: remembered?.revision ?? 0, backends: remembered?.backends ?? [] },
  },
  clusterId: remembered?.clusterId ?? '',
  memory,
});

/** How long etcd may take for its first word before the memory is served instead. */
const firstWordMs = 2000;

/**
 * Nothing came from etcd yet, and it is in trouble or had its time: what was kept is served. One that
 * never was kept was never served: it is without backends, but only where etcd speaks of others. Else
 * what nginx serves may be of another configuration, of which nothing is known.
 */
export function fallenBack(census: Census, sinceStartMs: number, etcdSpeaks: boolean): Census {
  const { source, memory, view, roster } = census;
  const isOver = view.trouble !== undefined || sinceStartMs >= firstWordMs;
  const mayServe = memory === 'kept' || (memory === 'never' && etcdSpeaks);
  return source === 'nowhere' && isOver && mayServe
    ? { ...census, source: 'disk', served: roster.backends }
    : census;
}

export interface Seen {
  readonly view: MirrorView;
  readonly records: MirrorView;
  readonly recordPrefix: string;
}

export function foldCensus(
  before: Census,
  { view, records, recordPrefix }: Seen,
  nowMs: number,
  rule: AbsenceRule,
): Census {
  const { snapshot, listedAtMs } = view;
  if (!snapshot || listedAtMs === undefined) return { ...before, view, records };
  const { service } = before;
  const same = before.source === 'etcd' && before.view.snapshot?.keys === snapshot.keys;
  const pool = same ? before.pool : nextPool(before, snapshot);
  const newsAtRevision = same
    ? Math.max(before.newsAtRevision, askedOf(snapshot, records))
    : snapshot.revision;
  const recordKeys = records.snapshot?.keys;
  const recordOf = (key: string): StoredKey | undefined =>
    recordKeys?.get(recordKey(recordPrefix, key));
  const isOrderedOut = (key: string) => recordKeys?.has(drainOrderKey(recordPrefix, key)) ?? false;
  const roster = foldRoster(
    before.source === 'etcd' ? before.roster : ofThisStore(before, view),
    {
      ...{ backends: pool.backends, epoch: snapshot.epoch, revision: snapshot.revision },
      ...{ listedAtMs, recordOf, isOrderedOut },
    },
    nowMs,
    rule,
  );
  const served = servedOf(roster);
  return {
    ...{ service, source: 'etcd', view, records, pool, roster },
    served: identical(served, before.served) ? before.served : served,
    drained:
      same && before.records.snapshot?.keys === recordKeys
        ? before.drained
        : drainedIn(service.prefix, recordPrefix, snapshot.keys, records.snapshot),
    newsAtRevision,
    reflects: Math.min(newsAtRevision, reflectedBy(roster, rule)),
    ...{ clusterId: snapshot.clusterId, memory: before.memory },
  };
}

/**
 * A drain may be asked for whose key was gone long before: then the prefix does not change, and its
 * revision is waited for all the same. It counts once the keys are known as of then.
 */
function askedOf({ revision }: Snapshot, { snapshot }: MirrorView): number {
  const asked = drainsIn(snapshot).revision;
  return asked <= revision ? asked : 0;
}

/** From the pool before where that is known to be of the keys before. */
function nextPool({ service, source, view, pool }: Census, { keys, madeOf }: Snapshot): Pool {
  const isNext = source === 'etcd' && madeOf !== undefined && madeOf.before === view.snapshot?.keys;
  const patched = isNext ? patchedPool(service.prefix, pool, keys, madeOf.changed) : undefined;
  return patched ?? poolOf(service.prefix, keys.values());
}

/** What was kept was seen in another store if that one's revision was higher, or its name another. */
function ofThisStore({ roster, clusterId }: Census, { snapshot }: MirrorView): Roster {
  const same =
    snapshot !== undefined &&
    snapshot.clusterId === clusterId &&
    snapshot.revision >= roster.revision;
  return { ...roster, epoch: same ? snapshot.epoch : -1 };
}
