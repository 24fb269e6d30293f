/**
 * Backends that passed the grammar and that the template or nginx refused all the same. Pure. Each
 * is kept out of the file with its reason, so that the others go on. It is tried again with
 * back-off, since what it failed on may have been mended elsewhere, and at once when its value
 * changes.
 */
import { type Backoff, backoffMs } from '../../lib/backoff.ts';
import type { Backend } from '../../registry/backend.ts';
import { sameBackend } from '../pool/pool.ts';
import type { ServedService } from '../render/render.ts';
import type { Culprit } from './bisect.ts';

export interface Quarantined {
  readonly backend: Backend;
  readonly reason: string;
  readonly attempts: number;
  readonly retryAtMs: number;
}

/** By key. */
export type Quarantine = ReadonlyMap<string, Quarantined>;

export const nobodyQuarantined: Quarantine = new Map();

/** A try that fails costs some checks of nginx, and holds up other changes meanwhile. */
const retries: Backoff = { firstMs: 60_000, maxMs: 900_000 };

/** Those that are kept out now: not the ones whose time has come. */
const keptOut = (quarantine: Quarantine, backend: Backend, nowMs: number) => {
  const one = quarantine.get(backend.key);
  return one !== undefined && nowMs < one.retryAtMs && sameBackend(one.backend, backend);
};

/** The same arrays where nobody is kept out. */
export function withoutQuarantined(
  served: readonly ServedService[],
  quarantine: Quarantine,
  nowMs: number,
): readonly ServedService[] {
  if (quarantine.size === 0) return served;
  return served.map(({ service, backends }) => ({
    service,
    backends: backends.some((one) => keptOut(quarantine, one, nowMs))
      ? backends.filter((one) => !keptOut(quarantine, one, nowMs))
      : backends,
  }));
}

/** Forgets whoever is there no more, or with another value. */
export function foldQuarantine(
  quarantine: Quarantine,
  served: readonly ServedService[],
): Quarantine {
  if (quarantine.size === 0) return quarantine;
  const there = new Map(
    served.flatMap(({ backends }) => backends.map((one) => [one.key, one] as const)),
  );
  const kept = [...quarantine].filter(([key, { backend }]) => {
    const now = there.get(key);
    return now !== undefined && sameBackend(now, backend);
  });
  return kept.length === quarantine.size ? quarantine : new Map(kept);
}

export function quarantined(
  quarantine: Quarantine,
  culprits: readonly Culprit<Backend>[],
  nowMs: number,
  random: () => number,
): Quarantine {
  const after = new Map(quarantine);
  for (const { member: backend, reason } of culprits) {
    const attempts = (quarantine.get(backend.key)?.attempts ?? 0) + 1;
    const retryAtMs = nowMs + backoffMs(attempts, retries, random);
    after.set(backend.key, { backend, reason, attempts, retryAtMs });
  }
  return after;
}

/** nginx accepted a file with these backends in it: what was said of them is past. */
export function accepted(quarantine: Quarantine, served: readonly ServedService[]): Quarantine {
  if (quarantine.size === 0) return quarantine;
  const inFile = new Set(served.flatMap(({ backends }) => backends.map(({ key }) => key)));
  const kept = [...quarantine].filter(([key]) => !inFile.has(key));
  return kept.length === quarantine.size ? quarantine : new Map(kept);
}
