/**
 * What the balancer may acknowledge, turn by turn. Pure. It never runs ahead of the truth: a
 * revision is said once nginx serves what reflects it and nothing older takes requests. It is
 * taken back when nginx is brought to what reflects less, or turns out to serve something else, and
 * when etcd turns out to be another store, whose revisions count anew. It stands while etcd is away,
 * and while nginx is. Keys that nginx is not given are named with it; while nginx is brought to
 * something else, those that it may be without already, too.
 */
import { type Acknowledgement, formatAcknowledgement } from '../registry/acknowledgement.ts';
import { splitKey } from '../registry/backend.ts';
import type { Turn } from './balancer.ts';
import type { Census } from './pool/census.ts';
import type { Target } from './rollout/plan.ts';

/** Of one service. */
interface Acknowledged {
  readonly cluster: string;
  readonly epoch: number;
  readonly revision: number;
  /** Names of keys that nginx is not given although they are backends, in order. */
  readonly omits: readonly string[];
}

export interface Said {
  /** By service, in their order. */
  readonly services: readonly Acknowledged[];
  /** Of nginx, that reflects these revisions; undefined: nothing is confirmed. */
  readonly generation: string | undefined;
  /** Told to nginx since: what each of them reflects less than that is taken back at once. */
  readonly later: ReadonlySet<string>;
  readonly olderLive: boolean | null;
}

export const nothingSaid: Said = {
  services: [],
  generation: undefined,
  later: new Set(),
  olderLive: null,
};

/** @param lostAtMs when the lease was last found lost: listings from before say nothing any more. */
export function foldSaid(before: Said, turn: Turn, lostAtMs: number): Said {
  const { censuses, target, decision, generations } = turn;
  const { living } = generations;
  const olderLive = living === undefined ? null : living > 1;
  const holds = (said: Acknowledged | undefined, now: Census) =>
    said !== undefined && said.epoch === epochOf(now) && isCurrent(now, lostAtMs);
  if (target && decision.kind === 'confirmed') {
    const services = censuses.map((now, n) => {
      const then = target.censuses[n];
      const said = then && saidOf(then, omittedIn(target, n));
      return said && holds(said, now) ? said : nothing(now);
    });
    const { generation } = target.rendered;
    return { services, generation, later: new Set(), olderLive };
  }
  const later = laterThan(before, turn);
  const stands = later !== undefined;
  return {
    services: censuses.map((now, n) => {
      const said = before.services[n];
      if (!said || !stands || !holds(said, now)) return nothing(now);
      // A loss that is held after all goes back into nginx: no more is said than that will reflect.
      const next = target?.censuses[n];
      if (!target || !next || epochOf(next) !== said.epoch) return said;
      return {
        ...said,
        revision: Math.min(said.revision, next.reflects),
        omits: inOrder([...said.omits, ...omittedIn(target, n)]),
      };
    }),
    generation: stands ? before.generation : undefined,
    ...{ later: later ?? new Set(), olderLive },
  };
}

/** Undefined: nginx serves what neither reflects what was said nor came after it. */
function laterThan(
  { generation, later }: Said,
  { rollout }: Turn,
): ReadonlySet<string> | undefined {
  const { answer, told } = rollout;
  const all =
    told === undefined || later.has(told.generation) ? later : new Set([...later, told.generation]);
  if (answer.kind !== 'serves') return all;
  return answer.generation === generation || all.has(answer.generation) ? all : undefined;
}

const epochOf = ({ view }: Census) => view.snapshot?.epoch ?? 0;

const saidOf = (census: Census, omits: readonly string[]): Acknowledged => ({
  ...{ cluster: census.clusterId, epoch: epochOf(census), revision: census.reflects, omits },
});

const nothing = (census: Census): Acknowledged => ({ ...saidOf(census, []), revision: 0 });

/** Quarantined, or a second key with one address. What is no backend at all nobody waits for. */
function omittedIn({ censuses, served }: Target, n: number): readonly string[] {
  const census = censuses[n];
  if (!census) return [];
  const { pool, roster, served: wanted } = census;
  const given = served[n]?.backends ?? [];
  const names = pool.setAside.flatMap(({ key, duplicateOf }) =>
    duplicateOf === undefined ? [] : [splitKey(key).name],
  );
  // Most of the time nobody is quarantined, and ten thousand need not be compared.
  if (given.length < wanted.length) {
    const keys = new Set(given.map(({ key }) => key));
    names.push(...roster.backends.flatMap(({ key, name }) => (keys.has(key) ? [] : [name])));
  }
  return inOrder(names);
}

const inOrder = (names: readonly string[]) =>
  names.length < 2 ? names : [...new Set(names)].toSorted();

const isCurrent = ({ view }: Census, lostAtMs: number) => (view.listedAtMs ?? 0) >= lostAtMs;

/** More have no room in any case. */
const mostOmits = 200;

/** What does not change while the process lives. */
export type Speaker = Pick<Acknowledgement, 'instance' | 'host' | 'pid' | 'version' | 'admin'>;

/** The texts to be kept in etcd, by service. */
export function textsOf(
  { services, generation, olderLive }: Said,
  names: readonly string[],
  speaker: Speaker,
): readonly string[] {
  return services.map(({ cluster, revision, omits }, n) =>
    formatAcknowledgement({
      ...{ ...speaker, service: names[n] ?? '', cluster, revision },
      generation: revision === 0 ? null : (generation ?? null),
      ...{ olderLive, omits: omits.slice(0, mostOmits), omitsMore: omits.length > mostOmits },
    }),
  );
}
