/**
 * What nginx should serve, and what it is being brought to: the one becomes the other when it is
 * time. Backends that the template or nginx refused stay out of both.
 */
import type { Clock } from '../../lib/clock.ts';
import { mayBeOneOfMany } from '../pool/absence.ts';
import type { Census } from '../pool/census.ts';
import type { Known } from '../pool/knowledge.ts';
import type { Rendered, Renderer, ServedService } from '../render/render.ts';
import type { Delivery } from './delivery.ts';
import { differenceOf } from './difference.ts';
import { type Draft, draftOf, rememberingLast } from './draft.ts';
import {
  foldPacing,
  freshPacing,
  type Pace,
  paceOf,
  type Pacing,
  type PacingRule,
  pacingTimes,
  taken,
  type Wish,
} from './pacing.ts';
import {
  accepted,
  foldQuarantine,
  nobodyQuarantined,
  type Quarantine,
  quarantined,
  withoutQuarantined,
} from './quarantine.ts';
import { rolloutTimes } from './rollout.ts';
import { suspectsIn } from './suspects.ts';

export interface PlanDeps {
  readonly render: Renderer;
  readonly pacing: PacingRule;
  readonly clock: Clock;
  readonly random: () => number;
}

/** What nginx is being brought to. */
export interface Target {
  readonly served: readonly ServedService[];
  readonly rendered: Rendered;
  /** When the first of the changes in it arrived. */
  readonly sinceMs: number;
  /** The newest knowledge that it is true to. */
  readonly censuses: readonly Census[];
}

export interface Planned {
  /** What nginx should serve; undefined while nothing is known. */
  readonly draft: Draft | undefined;
  readonly target: Target | undefined;
  /** Whether the draft has just become the target, or what it waits for. */
  readonly pace: Pace;
  readonly quarantine: Quarantine;
}

const nothingNew: Pace = { due: false, forMs: rolloutTimes.tickMs, because: 'nothing new' };

/**
 * How long culprits are looked for at once: meanwhile nothing else is applied. A search that found
 * nobody in its time has more of it the next time.
 */
const searchMs = { first: 3000, most: 48_000 };

export class Plan {
  readonly #deps: PlanDeps;
  readonly #draftFrom: (served: readonly ServedService[]) => Draft;
  #draft: Draft | undefined;
  #target: Target | undefined;
  #quarantine: Quarantine = nobodyQuarantined;
  #pacing: Pacing;
  #searchMs = searchMs.first;

  constructor(deps: PlanDeps) {
    this.#deps = deps;
    this.#draftFrom = rememberingLast(deps.render);
    this.#pacing = { ...freshPacing, tokensAtMs: deps.clock.now() };
  }

  /** @param livingGenerations of nginx; undefined: its processes cannot be seen. */
  async next(known: Known, livingGenerations: number | undefined): Promise<Planned> {
    const { censuses } = known;
    // A service of which nothing is known must not be served as one without backends.
    if (censuses.some(({ source }) => source === 'nowhere')) return this.#planned(nothingNew);
    const pools = censuses.map(({ service, served: backends }) => ({ service, backends }));
    this.#quarantine = foldQuarantine(this.#quarantine, pools);
    const draftBefore = this.#draft;
    const draft = await this.#draftOf(pools);
    this.#draft = draft;
    if (!draft.ok) return this.#planned(nothingNew);

    const { clock, pacing: rule } = this.#deps;
    const nowMs = clock.now();
    const wish: Wish = {
      difference: this.#target ? differenceOf(this.#target.served, draft.served) : 'first',
      changed: draft !== draftBefore,
      arrivedAtMs: known.arrivedAtMs,
    };
    this.#pacing = foldPacing(this.#pacing, wish, nowMs);
    const doubtful = censuses.some(({ roster }) =>
      mayBeOneOfMany(roster, nowMs, pacingTimes.removalMs),
    );
    const about = { doubtful, livingGenerations, tickMs: rolloutTimes.tickMs };
    const pace = paceOf(this.#pacing, wish, about, rule, nowMs);
    if (pace.due || wish.difference === 'none') {
      const { served, rendered } = draft;
      const sinceMs = this.#pacing.waitingSinceMs ?? this.#target?.sinceMs ?? nowMs;
      this.#target = { served, rendered, sinceMs, censuses };
    }
    if (pace.due) this.#pacing = taken(this.#pacing);
    return this.#planned(pace);
  }

  /** nginx accepted the target. */
  accepted(): void {
    if (this.#target) this.#quarantine = accepted(this.#quarantine, this.#target.served);
  }

  /** nginx refused the target. @returns whether backends were found that it was for. */
  async refused(way: Delivery, signal: AbortSignal): Promise<boolean> {
    const { render } = this.#deps;
    if (!this.#target) return false;
    return await this.#setAside(this.#target.served, async (some) => {
      const tried = draftOf(render, some);
      return tried.ok ? await way.faultOf(tried.rendered, signal) : tried.fault;
    });
  }

  /** Without those that the template fails on. */
  async #draftOf(pools: readonly ServedService[]): Promise<Draft> {
    const { clock, render } = this.#deps;
    const draftNow = () =>
      this.#draftFrom(withoutQuarantined(pools, this.#quarantine, clock.now()));
    const faultOf = async (some: readonly ServedService[]) => {
      // To render takes the whole process; in between, others have their turn.
      await clock.sleep(0);
      const tried = draftOf(render, some);
      return tried.ok ? undefined : tried.fault;
    };
    let draft = draftNow();
    // The very same one has been looked into before, and nobody was found.
    if (draft === this.#draft) return draft;
    while (!draft.ok && !draft.tooMuch && (await this.#setAside(draft.served, faultOf))) {
      draft = draftNow();
    }
    return draft;
  }

  async #setAside(
    served: readonly ServedService[],
    faultOf: (some: readonly ServedService[]) => Promise<string | undefined>,
  ): Promise<boolean> {
    const { clock, random } = this.#deps;
    const { culprits, complete } = await suspectsIn(served, faultOf, clock, this.#searchMs);
    const isFruitless = culprits.length === 0 && !complete;
    this.#searchMs = isFruitless ? Math.min(2 * this.#searchMs, searchMs.most) : searchMs.first;
    this.#quarantine = quarantined(this.#quarantine, culprits, clock.now(), random);
    return culprits.length > 0;
  }

  #planned(pace: Pace): Planned {
    return {
      ...{ draft: this.#draft, target: this.#target },
      ...{ pace, quarantine: this.#quarantine },
    };
  }
}
