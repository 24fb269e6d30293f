/** Who is told of what the loop does: metrics, status, supervisor. Must not throw. */
import type { Missing } from '../registry/confirmation.ts';
import type { Course } from './course.ts';
import type { Drain, DrainCause, DrainEnd } from './drain/drain.ts';
import type { Health } from './health.ts';
import type { Outcome } from './registration/outcome.ts';
import type { ProbeResult } from './probe/result.ts';

export interface WatchdogStatus {
  readonly course: Course;
  /** By all that is known, the key is in etcd, and ours. */
  readonly isRegistered: boolean;
  /** The registration in words: "held", "not held: down", "not known: ...". */
  readonly words: string;
  /** The registration is held, and every live balancer has confirmed that its nginx serves it. */
  readonly isInRotation: boolean;
  /** Whose nginx is confirmed to: nobody's where no balancer is known. */
  readonly servedBy: readonly string[];
  /** Who has not confirmed yet what is waited for, the start or the drain. */
  readonly waitsFor: readonly Missing[];
  readonly drain: Drain | undefined;
  /** A probe or a call has outlived its own deadline: the loop turns, and does no work. */
  readonly isStuck: boolean;
}

export interface WatchdogObserver {
  readonly onProbe: (result: ProbeResult) => void;
  /** A probe was started beside one that takes longer than usual. */
  readonly onCompanion: () => void;
  /** The idle connection was closed by the other side: does a probe follow at once? */
  readonly onIdleClose: (outcome: 'probed' | 'muted') => void;
  readonly onTransition: (from: Health, to: Health) => void;
  readonly onOutcome: (outcome: Outcome) => void;
  /** A drain is over: how it ended, each time. */
  readonly onDrained: (by: DrainCause, end: DrainEnd) => void;
  readonly onEtcdFailure: (error: unknown) => void;
  /** How late the loop came back from its pause. */
  readonly onLag: (lateMs: number) => void;
  /** Once a turn. */
  readonly onTurn: (status: WatchdogStatus) => void;
}
