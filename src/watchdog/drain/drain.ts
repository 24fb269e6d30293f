/**
 * A drain, turn by turn. Pure. It begins when an operator orders it or when the watchdog is told to
 * stop; the key goes; every live balancer confirms that its nginx does without it; a lingering, if
 * one is wanted; and it is over. An operator's drain then lasts for as long as the order stands; a
 * stop ends the watchdog.
 *
 *   removing ──► waiting ──► lingering ──► over
 *        └─────► alone ─────────┘           (no balancer is known: a grace)
 *
 * Each stage is concluded anew from what etcd says now: a balancer that joins or takes back what it
 * acknowledged, and an etcd that was restored, lead back to `waiting` or `removing`. A stop has a
 * deadline, after which it is over anyway and says who had not confirmed.
 */
import {
  type Confirmations,
  confirmationsIn,
  type DrainUntil,
  type Missing,
} from '../../registry/confirmation.ts';
import type { Moment } from '../../registry/store.ts';
import type { Standing } from '../registration/sight.ts';

export interface DrainRules {
  /** Of a stop, from its beginning to its end; 0: the key goes at once, and nobody is waited for. */
  readonly timeoutMs: number;
  /** How long to serve on where no balancer is known. */
  readonly graceMs: number;
  /** How long to serve on when all have confirmed. */
  readonly lingerMs: number;
  /** With fewer alive, nothing counts as confirmed. */
  readonly balancers: number;
  readonly until: DrainUntil;
}

export const drainCauses = ['operator', 'shutdown'] as const;
export type DrainCause = (typeof drainCauses)[number];

export type DrainEnd =
  | 'confirmed'
  /** No balancer is known: the grace is over. */
  | 'grace'
  | 'timeout'
  /** `--drain-timeout 0s`. */
  | 'not waited for'
  /** Nothing was ever written by this watchdog, or the key is somebody else's. */
  | 'nothing to drain';

export type DrainStage =
  | { readonly kind: 'removing' }
  | ({ readonly kind: 'waiting' } & Confirmations)
  | { readonly kind: 'alone' }
  | { readonly kind: 'lingering' }
  | { readonly kind: 'over'; readonly end: DrainEnd; readonly missing: readonly Missing[] };

export interface Drain {
  readonly by: DrainCause;
  /** By the wall clock. */
  readonly since: Date;
  /** When the watchdog was told to stop; undefined: it was not. */
  readonly stopAtMs: number | undefined;
  /** At this revision the key was gone; undefined: it is not known to be. */
  readonly revision: number | undefined;
  readonly stage: DrainStage;
  /** Since when the stage could have been over but for a grace or a lingering. */
  readonly stillSinceMs: number | undefined;
  /** Who had confirmed at the last look. */
  readonly confirmed: readonly string[];
}

/**
 * A lease of ours was gone: etcd may have been wiped, and then balancers are not listed until they have
 * noticed it. The default of their lease: who is not listed again by then would have dropped out in any
 * case.
 */
const knownAgainMs = 10_000;

export interface Seen {
  readonly nowMs: number;
  readonly standing: Standing;
  /** Nothing of ours can be in etcd: no probe has been judged yet. */
  readonly neverWrote: boolean;
  /** The last look at the key and at what balancers acknowledge. */
  readonly look: Moment | undefined;
  /** Why there is none. */
  readonly trouble: string | undefined;
  /** In that look: absent, or there with the address of our backend, or with another one. */
  readonly keyIs: 'absent' | 'ours' | 'elsewhere';
  /** When a lease of ours was last found gone; -Infinity: never. */
  readonly leaseLostAtMs: number;
}

export const beginDrain = (by: DrainCause, since: Date, nowMs: number): Drain => ({
  ...{ by, since, stopAtMs: by === 'shutdown' ? nowMs : undefined },
  ...{ revision: undefined, stage: { kind: 'removing' }, stillSinceMs: undefined, confirmed: [] },
});

/** Told to stop while an operator's drain goes on: from here on there is a deadline, and an end. */
export const stopDrained = (drain: Drain, nowMs: number): Drain => ({
  ...drain,
  ...{ stopAtMs: nowMs, stillSinceMs: undefined },
  stage: drain.revision === undefined ? { kind: 'removing' } : waiting(drain.confirmed, []),
});

export function foldDrain(before: Drain, seen: Seen, rules: DrainRules): Drain {
  const { nowMs, standing, neverWrote, keyIs } = seen;
  const isStop = before.stopAtMs !== undefined;
  const revision = revisionIn(before, standing);
  if (isOver(before) && (isStop || revision === before.revision)) return before;
  if (isStop && rules.timeoutMs === 0) return over(before, 'not waited for');
  const isNotOurs = standing.kind === 'not ours' && (revision === undefined || keyIs === 'ours');
  if (neverWrote || isNotOurs) {
    return isStop ? over(before, 'nothing to drain') : staying(before, revision);
  }
  const next = concluded({ ...before, revision }, seen, rules);
  const isLate = isStop && nowMs - (before.stopAtMs ?? nowMs) >= rules.timeoutMs;
  return isLate && !isOver(next) ? over(next, lateEnds[next.stage.kind] ?? 'timeout') : next;
}

/** A grace or a lingering that the deadline cuts short is no failure. */
const lateEnds: Partial<Record<DrainStage['kind'], DrainEnd>> = {
  ...{ alone: 'grace', lingering: 'confirmed' },
};

const isOver = ({ stage }: Drain) => stage.kind === 'over';

/** Whoever registers the key anew does not undo that it went: its backend is another one. */
function revisionIn(before: Drain, standing: Standing): number | undefined {
  if (standing.kind === 'gone') return standing.revision;
  return standing.kind === 'not ours' ? before.revision : undefined;
}

/** An operator's drain of what is not ours, or not yet: nothing to wait for, and nothing to say. */
const staying = (drain: Drain, revision: number | undefined): Drain => ({
  ...drain,
  ...{ revision, stage: { kind: 'removing' }, stillSinceMs: undefined },
});

function concluded(drain: Drain, seen: Seen, rules: DrainRules): Drain {
  const { nowMs, look, trouble, keyIs } = seen;
  const { revision } = drain;
  if (revision === undefined) return staying(drain, undefined);
  // A look from before, or at a store that has gone back since: the key's own turn finds that out.
  // With our backend in it again, somebody has registered that: for the key's own turn to find, too.
  if (!look || look.revision < revision || keyIs === 'ours') {
    return unstill(
      drain,
      waiting([], trouble === undefined ? [] : [{ who: 'etcd', why: trouble }]),
    );
  }
  const awaited = { kind: 'gone', revision, until: rules.until } as const;
  const { confirmed, missing } = confirmationsIn(look, awaited, rules.balancers);
  const told = { ...drain, confirmed };
  if (missing.length > 0) return unstill(told, waiting(confirmed, missing));
  const isAlone = confirmed.length === 0;
  const stage = { kind: isAlone ? 'alone' : 'lingering' } as const;
  const stillSinceMs = drain.stage.kind === stage.kind ? (drain.stillSinceMs ?? nowMs) : nowMs;
  const next = { ...told, stage, stillSinceMs };
  return nowMs >= stillUntilMs(next, stillSinceMs, seen.leaseLostAtMs, rules)
    ? over(told, isAlone ? 'grace' : 'confirmed')
    : next;
}

/** How long the grace or the lingering lasts. */
function stillUntilMs(
  { stage }: Drain,
  sinceMs: number,
  leaseLostAtMs: number,
  rules: DrainRules,
): number {
  if (stage.kind !== 'alone') return sinceMs + rules.lingerMs;
  return Math.max(sinceMs + rules.graceMs, leaseLostAtMs + knownAgainMs);
}

const waiting = (confirmed: readonly string[], missing: readonly Missing[]): DrainStage => ({
  ...{ kind: 'waiting', confirmed, missing },
});

const unstill = (drain: Drain, stage: DrainStage): Drain => ({
  ...drain,
  ...{ stage, stillSinceMs: undefined },
});

/** Only after the deadline was anybody still waited for. */
const over = (drain: Drain, end: DrainEnd): Drain => {
  const missing = end === 'timeout' ? waitedFor(drain.stage) : [];
  return { ...drain, stage: { kind: 'over', end, missing } };
};

function waitedFor(stage: DrainStage): readonly Missing[] {
  if (stage.kind === 'removing') return [{ who: 'etcd', why: 'the key is not known to be gone' }];
  return stage.kind === 'waiting' ? stage.missing : [];
}

/** When, without any news, the drain is to be looked at again; Infinity: not before there is some. */
export function drainDueAtMs(drain: Drain, leaseLostAtMs: number, rules: DrainRules): number {
  const { stage, stillSinceMs, stopAtMs } = drain;
  if (stage.kind === 'over') return Number.POSITIVE_INFINITY;
  const deadlineMs = stopAtMs === undefined ? Number.POSITIVE_INFINITY : stopAtMs + rules.timeoutMs;
  if (stillSinceMs === undefined) return deadlineMs;
  return Math.min(deadlineMs, stillUntilMs(drain, stillSinceMs, leaseLostAtMs, rules));
}
