/**
 * Tells what is known of the pools: trouble with etcd, and each backend that is set aside, held,
 * quarantined or drained, with its reason; once, and once more when it is over.
 */
import type { Log, Notices } from '../../lib/log.ts';
import type { Turn } from '../balancer.ts';
import { heldOf } from '../pool/absence.ts';
import type { Census } from '../pool/census.ts';
import { drainedOf } from './facts.ts';

/** Key to reason. */
type Reasons = ReadonlyMap<string, string>;

interface Kind {
  readonly name: string;
  readonly text: string;
  readonly done: string;
  /** A drain is somebody's wish, and no trouble. */
  readonly level: 'info' | 'warn';
  readonly in: (turn: Turn) => Reasons;
}

const kinds: readonly Kind[] = [
  {
    name: 'set aside',
    text: 'key set aside',
    done: 'key no longer set aside',
    level: 'warn',
    in: ({ censuses }) =>
      new Map(
        censuses.flatMap(({ pool }) =>
          pool.setAside.map(({ key, reason }) => [key, reason] as const),
        ),
      ),
  },
  {
    name: 'held',
    text: 'backend held in the pool although its key is gone',
    done: 'backend no longer held',
    level: 'warn',
    in: ({ censuses }) =>
      new Map(
        censuses.flatMap(({ roster }) =>
          heldOf(roster).map(
            ({ backend, heldBecause = '' }) => [backend.key, heldBecause] as const,
          ),
        ),
      ),
  },
  {
    name: 'quarantined',
    text: 'backend quarantined, the others go on without it',
    done: 'backend no longer quarantined',
    level: 'warn',
    in: ({ quarantine }) =>
      new Map([...quarantine].map(([key, { reason }]) => [key, reason] as const)),
  },
  {
    name: 'drained',
    text: 'backend drained',
    done: 'backend no longer drained',
    level: 'info',
    in: ({ censuses }) =>
      new Map(
        censuses.flatMap((census) =>
          drainedOf(census).map(({ key, reason }) => [key, reason] as const),
        ),
      ),
  },
];

export function poolReporter(log: Log, notices: Notices): (turn: Turn) => void {
  const told = kinds.map((): Reasons => new Map());
  let before: Turn | undefined;

  /** Keeps one notice per key for as long as the key is in the list. */
  const tellKeys = ({ name, text, done, level }: Kind, keys: Reasons, keysBefore: Reasons) => {
    for (const [key, reason] of keys) {
      if (keysBefore.get(key) !== reason) {
        notices.tell(`${name} ${key}`, level, `${text}: ${reason}`, { key, reason });
      }
    }
    for (const key of keysBefore.keys()) {
      if (!keys.has(key)) notices.clear(`${name} ${key}`, done, { key });
    }
  };

  const tellEtcd = ({ service, view, records, source }: Census, earlier: Census | undefined) => {
    const of = { service: service.name, prefix: service.prefix };
    const topic = `etcd ${service.name}`;
    if (view.trouble && !view.connected) {
      const texts = {
        etcd: 'etcd is away: the last good pool stands',
        disk: 'etcd is away: the pool kept on disk stands',
        nowhere: 'etcd is away: nothing is known, nothing is changed',
      };
      notices.tell(topic, 'warn', texts[source], { ...of, reason: view.trouble });
    } else notices.clear(topic, 'etcd answers again', of);
    if (view.connected && records.trouble && !records.connected) {
      const text = "the watchdogs' records cannot be read: no loss counts as proven";
      notices.tell(`records ${service.name}`, 'warn', text, { ...of, reason: records.trouble });
    } else notices.clear(`records ${service.name}`, "the watchdogs' records can be read", of);
    const epoch = earlier?.view.snapshot?.epoch;
    if (view.snapshot && epoch !== undefined && view.snapshot.epoch !== epoch) {
      log.warn(
        of,
        'etcd was wiped or restored: the pool it lost is held until it is registered anew',
      );
    }
  };

  return (turn) => {
    const { censuses, quarantine } = turn;
    for (const [n, census] of censuses.entries()) {
      if (census !== before?.censuses[n]) tellEtcd(census, before?.censuses[n]);
    }
    const isSame =
      quarantine === before?.quarantine &&
      censuses.every(
        ({ pool, roster, drained }, n) =>
          pool === before?.censuses[n]?.pool &&
          roster === before.censuses[n].roster &&
          drained === before.censuses[n].drained,
      );
    if (!isSame) {
      for (const [n, kind] of kinds.entries()) {
        const keys = kind.in(turn);
        tellKeys(kind, keys, told[n] ?? new Map());
        told[n] = keys;
      }
    }
    before = turn;
  };
}
