/** What one attempt came to, before anybody asks how long it took. */
import type { Connection } from './connection.ts';
import type { FailedProbe, ProbePhase } from './result.ts';

export type Verdict = { readonly passed: true } | ({ readonly passed: false } & Cause);

export type Cause = Pick<FailedProbe, 'kind' | 'reason'>;

/** A probe under way. Whoever started it holds its deadline, and closes it. */
export interface Attempt {
  /** How far it has come. */
  readonly phase: ProbePhase;
  /** May take for ever. @throws whatever the socket or undici threw. */
  readonly verdict: Promise<Verdict>;
  /** After a pass: the connection that it passed on, if that may be kept; all others are closed. */
  release(): Connection | undefined;
  /** Closes all that it opened. */
  close(): void;
}
