/**
 * The balancer's loop. One turn: what should nginx serve, what does it serve, and
 * one step towards it. A change in etcd rings; without any ring the loop turns on
 * every tick all the same. Nothing known of etcd means nothing is changed.
 */
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { Wakeup } from '../lib/wakeup.ts';
import type { Backend } from '../registry/backend.ts';
import { type MirrorView, nothingKnown, runMirror } from '../registry/mirror.ts';
import type { StoredKey, PrefixStore } from '../registry/store.ts';
import {
  absenceRule,
  emptyRoster,
  foldRoster,
  recordAnswer,
  type Roster,
  servedOf,
  unaskedOf,
} from './pool/absence.ts';
import { apply, type ApplyDeps } from './rollout/apply.ts';
import { type Pool, poolOf } from './pool/pool.ts';
import type { Rendered, Renderer } from './render/render.ts';
import {
  confirmed,
  type Decision,
  decide,
  nothingObserved,
  observe,
  type Rollout,
  rolloutTimes,
} from './rollout/rollout.ts';

export interface BalancerDeps extends ApplyDeps {
  readonly prefix: string;
  readonly store: PrefixStore;
  readonly render: Renderer;
  /** Does a held backend answer, asked directly? Must not throw. */
  readonly ask: (address: string, signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  /** Told the whole state after every turn, for logs, metrics and status; must not throw. */
  readonly onTurn: (turn: Turn) => void;
}

/** Everything that one turn of the loop knew and decided. */
export interface Turn {
  readonly view: MirrorView;
  readonly pool: Pool;
  readonly roster: Roster;
  /** What nginx should serve; undefined while nothing is known. */
  readonly wanted: Rendered | undefined;
  /** Why the newest pool could not be rendered: what was wanted before still is. */
  readonly templateFault: string | undefined;
  readonly rollout: Rollout;
  readonly decision: Decision;
}

export type Outcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * A mass expiry of thousands must not run us out of file descriptors, which would look as if
 * none of them answered. The others are served meanwhile, and asked as these have answered.
 */
const askedAtOnce = 64;

const nothingListed: Pool = { backends: [], setAside: [] };
const nobody: ReadonlyMap<string, StoredKey> = new Map();

/**
 * Runs until the signal aborts, or, when asked for `once`, until nginx serves what is
 * wanted or something failed on the way. Never throws.
 */
export async function runBalancer(
  deps: BalancerDeps,
  { once }: { readonly once: boolean },
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock, file, nginx } = deps;
  const over = new AbortController();
  const within = AbortSignal.any([signal, over.signal]);
  const bell = new Wakeup();
  let latest = nothingKnown;
  let keys = nobody;
  let pool = nothingListed;
  let roster = emptyRoster;
  let wanted: Rendered | undefined;
  let templateFault: string | undefined;
  let rollout = nothingObserved;

  const mirror = runMirror(
    deps.prefix,
    {
      ...deps,
      onChange: (changed) => {
        latest = changed;
        bell.ring();
      },
    },
    within,
  );
  const render = rememberingLast(deps.render);
  const asked = new Set<string>();
  const askHeld = () => {
    for (const { backend, lostAtMs } of unaskedOf(roster)) {
      if (asked.size >= askedAtOnce) break;
      if (asked.has(backend.key)) continue;
      asked.add(backend.key);
      void deps.ask(backend.address, within).then((answers) => {
        asked.delete(backend.key);
        // It may have come back and gone again since: then it is asked again.
        if (roster.absent.get(backend.key)?.lostAtMs === lostAtMs) {
          roster = recordAnswer(roster, backend.key, answers);
        }
        bell.ring();
      });
    }
  };

  try {
    while (!signal.aborted) {
      const view = latest;
      if (view.snapshot) {
        if (view.snapshot.keys !== keys) {
          keys = view.snapshot.keys;
          pool = poolOf(deps.prefix, keys.values());
        }
        roster = foldRoster(roster, pool.backends, view.snapshot.epoch, clock.now(), absenceRule);
        askHeld();
        const draft = render(servedOf(roster));
        templateFault = draft.ok ? undefined : draft.fault;
        if (draft.ok) wanted = draft.rendered;
      }
      rollout = observe(
        rollout,
        { onDisk: await onDisk(file), answer: await nginx.answer(within) },
        clock.now(),
      );
      // An answer that the shutdown cut off says nothing about nginx.
      if (signal.aborted) break;
      const decision = wanted ? decide(rollout, wanted.generation, clock.now()) : idle;
      if (decision.kind === 'confirmed') rollout = confirmed(rollout);
      if (wanted) rollout = await apply(decision, rollout, wanted, deps, within);
      deps.onTurn({ view, pool, roster, wanted, templateFault, rollout, decision });

      if (once) {
        if (templateFault !== undefined) return { ok: false, reason: templateFault };
        if (decision.kind === 'confirmed') return { ok: true };
        const reason = rollout.failure?.reason ?? (view.snapshot ? undefined : view.trouble);
        if (reason !== undefined) return { ok: false, reason };
      }
      const pauseMs = decision.kind === 'wait' ? decision.forMs : rolloutTimes.tickMs;
      const acted = decision.kind === 'swap' || decision.kind === 'reload';
      await bell.wait(acted ? rolloutTimes.pollMs : pauseMs, clock, within);
    }
    return { ok: false, reason: 'stopped' };
  } finally {
    over.abort();
    await mirror;
  }
}

type Draft =
  | { readonly ok: true; readonly rendered: Rendered }
  | { readonly ok: false; readonly fault: string };

/** Most turns want what the turn before wanted: the file is rendered anew only for other backends. */
function rememberingLast(render: Renderer): (backends: readonly Backend[]) => Draft {
  let last: { readonly addresses: string; readonly draft: Draft } | undefined;
  return (backends) => {
    const addresses = backends.map(({ key, address }) => `${key}=${address}`).join();
    if (last?.addresses !== addresses) last = { addresses, draft: tryRender(render, backends) };
    return last.draft;
  };
}

/** An operator's template can fail on backends that it was never tried on. */
function tryRender(render: Renderer, backends: readonly Backend[]): Draft {
  try {
    return { ok: true, rendered: render(backends) };
  } catch (error) {
    return { ok: false, fault: `the template does not render: ${messageOf(error)}` };
  }
}

const idle: Decision = { kind: 'wait', forMs: rolloutTimes.tickMs };

/** A file that cannot be read is not ours: the swap that follows says why in its own words. */
async function onDisk(file: ApplyDeps['file']): Promise<string | undefined> {
  return await file.generation().catch(() => undefined);
}
