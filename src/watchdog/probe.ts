/**
 * One probe: one HTTP request on a fresh connection, as a client would make it. A
 * probe returns what it saw and never throws; its deadline covers everything from
 * the name look-up to the last byte that is read.
 */
import type { Clock } from '../lib/clock.ts';
import { codeOf, DeadlineError, messageOf } from '../lib/errors.ts';
import { httpGet } from '../lib/http-get.ts';

/** A bounded set, for metrics; the words an operator searches for stand in `reason`. */
export const failureKinds = [
  'refused',
  'reset',
  'timeout',
  'status',
  'unreachable',
  'other',
] as const;
export type FailureKind = (typeof failureKinds)[number];

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
  readonly reason: string;
}

export type ProbeResult = PassedProbe | FailedProbe;

/** A page is read to its end, but not further than this: the rest proves nothing more. */
const readBytes = 64 * 1024;

export interface ProbeTarget {
  readonly url: string;
  readonly timeoutMs: number;
}

export async function probe(
  { url, timeoutMs }: ProbeTarget,
  clock: Clock,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const startedAtMs = clock.now();
  const timing = () => ({ startedAtMs, durationMs: clock.now() - startedAtMs });
  try {
    const { status } = await httpGet({ url, timeoutMs, clock, readBytes }, signal);
    return status >= 200 && status < 400
      ? { passed: true, ...timing() }
      : { passed: false, kind: 'status', reason: `status ${status}`, ...timing() };
  } catch (error) {
    return { passed: false, ...describe(error, timeoutMs), ...timing() };
  }
}

const kindsByCode: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
};

function describe(error: unknown, timeoutMs: number): Pick<FailedProbe, 'kind' | 'reason'> {
  if (error instanceof DeadlineError) {
    return { kind: 'timeout', reason: `timeout: no complete answer within ${timeoutMs} ms` };
  }
  const code = codeOf(error);
  const kind = kindsByCode[code ?? ''] ?? 'other';
  const words: Partial<Record<FailureKind, string>> = {
    refused: 'connection refused',
    reset: 'connection closed before the whole answer',
  };
  return { kind, reason: words[kind] ?? messageOf(error) };
}
