/** What a watchdog says of itself: in the record beside its key, and at /status. Pure. */
import { formatRecord } from '../registry/record.ts';
import type { Course } from './course.ts';
import type { Drain } from './drain/drain.ts';
import { missingInWords, stageInWords } from './drain/words.ts';
import type { WatchdogStatus } from './observer.ts';
import type { Bounds } from './timing.ts';

/** What does not change while the process lives. */
export interface Self {
  /** A new one for each process. */
  readonly instance: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly admin: string | null;
  readonly key: string;
  readonly recordKey: string;
  readonly address: string;
  /** The text of the key: the address, or JSON where there is metadata. */
  readonly value: string;
  readonly probe: string;
}

/** Changes with the state and with nothing else, so that at steady state nothing is written. */
export function recordsOf(self: Self): (course: Course, drain: Drain | undefined) => string {
  const { instance, host, pid, version, admin, address, probe } = self;
  let last:
    | { readonly since: Date; readonly drainedSince: Date | undefined; readonly text: string }
    | undefined;
  return ({ health, since, reason }, drain) => {
    // A state is entered once, and the loop asks several times a second.
    if (last?.since === since && last.drainedSince === drain?.since) return last.text;
    const text = formatRecord({
      ...{ instance, host, pid, version, admin, address, probe },
      ...{
        state: health.state,
        since: since.toISOString(),
        reason: reason ?? null,
        drain: drainOf(drain),
      },
    });
    last = { since, drainedSince: drain?.since, text };
    return text;
  };
}

/** For /status: what JSON can hold. */
export function describe(self: Self, bounds: Bounds, status: WatchdogStatus | undefined) {
  const course = status?.course;
  const { instance, host, version, key, recordKey, address, value, probe } = self;
  const { last } = course ?? {};
  return {
    ...{ key, address, value, instance, host, version, recordKey, probe },
    state: course?.health.state ?? 'starting',
    since: course?.since ?? null,
    reason: course?.reason ?? null,
    lastProbe: last
      ? {
          passed: last.passed,
          ...(last.passed ? {} : { kind: last.kind, phase: last.phase, reason: last.reason }),
          durationMs: last.durationMs,
          at: course?.lastProbeAt ?? null,
        }
      : null,
    registered: status?.isRegistered ?? false,
    registration: status?.words ?? 'not held: starting',
    inRotation: status?.isInRotation ?? false,
    servedBy: status?.servedBy ?? [],
    waitsFor: status?.waitsFor ?? [],
    drain: status?.drain ? describeDrain(status.drain) : null,
    outlivesAtMostMs: bounds,
  };
}

const drainOf = (drain: Drain | undefined) =>
  drain ? { by: drain.by, since: drain.since.toISOString() } : null;

function describeDrain({ by, since, revision, stage, confirmed }: Drain) {
  return {
    ...{ by, since, revision: revision ?? null, stage: stage.kind },
    ...{ end: stage.kind === 'over' ? stage.end : null, confirmed },
  };
}

/** Why the watchdog is not ready: undefined once every live balancer serves its key. */
export function unreadyReason(status: WatchdogStatus | undefined): string | undefined {
  if (!status) return 'no turn has ended';
  const { isRegistered, isInRotation, words, waitsFor, drain } = status;
  if (drain) return `draining: ${stageInWords(drain)}`;
  if (!isRegistered) return words;
  if (isInRotation) return undefined;
  return ['the key is held, and not in rotation yet', ...missingInWords(waitsFor)].join('; ');
}
