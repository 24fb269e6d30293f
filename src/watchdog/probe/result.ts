/** What a probe saw. Pure data: an unhealthy backend is a value, never an exception. */

/** A bounded set, for metrics; the words an operator searches for stand in `reason`. */
export const failureKinds = [
  'refused',
  'reset',
  'timeout',
  'status',
  'body',
  'tls',
  'lookup',
  'unreachable',
  'other',
] as const;
export type FailureKind = (typeof failureKinds)[number];

/** How far the probe had come. */
export type ProbePhase = 'lookup' | 'connect' | 'tls' | 'headers' | 'body';

interface Timing {
  /** When the probe began, on the clock: the age of the evidence counts from here. */
  readonly startedAtMs: number;
  readonly durationMs: number;
}

export interface PassedProbe extends Timing {
  readonly passed: true;
}

export interface FailedProbe extends Timing {
  readonly passed: false;
  readonly kind: FailureKind;
  readonly phase: ProbePhase;
  readonly reason: string;
}

export type ProbeResult = PassedProbe | FailedProbe;
