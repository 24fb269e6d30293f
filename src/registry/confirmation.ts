/**
 * Who has confirmed what is waited for? Pure: one look at etcd, all at one revision, and what every
 * live balancer of the prefix acknowledges in it. Who is listed is alive; who is not has no say.
 *
 * An acknowledgement counts when it is of this store, and when it was written after the revision that
 * is waited for: one that a restored etcd brought back, or that was written before its balancer
 * noticed the restore, says something of another past. One that cannot be read, of a greater format
 * say, is waited for too: its balancer is alive, and what its nginx serves is not known here.
 */
import { type Acknowledgement, parseAcknowledgement, speakerOf } from './acknowledgement.ts';
import { splitKey } from './backend.ts';
import type { Moment, StoredKey } from './store.ts';

export type Awaited =
  /** The key went at this revision or before: no nginx may send new requests to its backend. */
  | { readonly kind: 'gone'; readonly revision: number; readonly until: DrainUntil }
  /** The key was written at this revision: every nginx sends requests to its backend. */
  | { readonly kind: 'served'; readonly revision: number; readonly name: string };

/**
 * `confirmed`: no nginx begins a request to it any more; `finished`: and what was begun has ended,
 * since no older generation of nginx lives.
 */
export const drainUntils = ['confirmed', 'finished'] as const;
export type DrainUntil = (typeof drainUntils)[number];

export interface Missing {
  /** As an operator would look for it: HOST, with its pid. */
  readonly who: string;
  readonly why: string;
}

export interface Confirmations {
  readonly confirmed: readonly string[];
  readonly missing: readonly Missing[];
}

/**
 * @param moment with the acknowledgements of the prefix below.
 * @param least with fewer balancers alive, one is missing.
 */
export function confirmationsIn(
  { clusterId, below }: Pick<Moment, 'clusterId' | 'below'>,
  awaited: Awaited,
  least = 0,
): Confirmations {
  const confirmed: string[] = [];
  const missing: Missing[] = [];
  for (const stored of below) {
    const parsed = parseAcknowledgement(stored.value);
    if (!parsed.ok) {
      missing.push({
        who: speakerOf(stored.value) ?? splitKey(stored.key).name,
        why: `its acknowledgement: ${parsed.reason}`,
      });
      continue;
    }
    const { host, pid } = parsed.value;
    const who = `${host} (pid ${pid})`;
    const why = whyNot(parsed.value, stored, clusterId, awaited);
    if (why === undefined) confirmed.push(who);
    else missing.push({ who, why });
  }
  if (below.length < least) {
    const why = `${below.length} of at least ${least} are alive`;
    missing.push({ who: 'balancers', why });
  }
  return { confirmed, missing };
}

function whyNot(
  said: Acknowledgement,
  { modRevision }: StoredKey,
  clusterId: string,
  awaited: Awaited,
): string | undefined {
  const { revision } = awaited;
  // Before the first listing it knows no cluster either.
  if (said.revision === 0) return 'its nginx is not proven to serve anything yet';
  if (said.cluster !== clusterId) return 'what it acknowledges is of another etcd';
  // At this revision it was written, so what it speaks of was before.
  if (said.revision >= modRevision) return 'what it acknowledges is of before etcd was restored';
  if (said.revision < revision) {
    return `its nginx serves revision ${said.revision}, and ${revision} is needed`;
  }
  if (awaited.kind === 'served') {
    if (said.omits.includes(awaited.name)) return 'it has the key set aside or quarantined';
    return said.omitsMore ? 'it leaves out more keys than it names' : undefined;
  }
  if (awaited.until === 'confirmed' || said.olderLive === false) return undefined;
  return said.olderLive
    ? 'older generations of its nginx still live'
    : 'it cannot see whether older generations of its nginx still live';
}
