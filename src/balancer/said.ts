/**
 * What the balancer may acknowledge, turn by turn. Pure. It never runs ahead of the truth: a
 * revision is said once nginx serves what reflects it and nothing older takes requests. It is
 * taken back when nginx is brought to what reflects less, or turns out to serve something else, and when etcd turns out to be another
 * store, whose revisions count anew. It stands while etcd is away, and while nginx is.
 */
import { type Acknowledgement, formatAcknowledgement } from '../registry/acknowledgement.ts';
import type { Turn } from './balancer.ts';
import type { Census } from './pool/census.ts';

/** Of one service. */
interface Acknowledged {
  readonly cluster: string;
  readonly epoch: number;
  readonly revision: number;
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
      const said = then && saidOf(then);
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
      const revision = next && epochOf(next) === said.epoch ? next.reflects : said.revision;
      return revision < said.revision ? { ...said, revision } : said;
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

const saidOf = (census: Census): Acknowledged => ({
  ...{ cluster: census.clusterId, epoch: epochOf(census), revision: census.reflects },
});

const nothing = (census: Census): Acknowledged => ({ ...saidOf(census), revision: 0 });

const isCurrent = ({ view }: Census, lostAtMs: number) => (view.listedAtMs ?? 0) >= lostAtMs;

/** What does not change while the process lives. */
export type Speaker = Pick<Acknowledgement, 'instance' | 'host' | 'pid' | 'version' | 'admin'>;

/** The texts to be kept in etcd, by service. */
export function textsOf(
  { services, generation, olderLive }: Said,
  names: readonly string[],
  speaker: Speaker,
): readonly string[] {
  return services.map(({ cluster, revision }, n) =>
    formatAcknowledgement({
      ...{ ...speaker, service: names[n] ?? '', cluster, revision },
      generation: revision === 0 ? null : (generation ?? null),
      ...{ olderLive, omits: [], omitsMore: false },
    }),
  );
}
