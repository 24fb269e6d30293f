/** Nothing is done in etcd on a probe that is too old to tell how the backend is now. Pure. */
import { CodedError } from '../../lib/errors.ts';
import type { ProbeResult } from '../probe/result.ts';

/** @throws CodedError for a probe that began longer than `evidenceMs` ago. */
export function refuseStale({ startedAtMs }: ProbeResult, nowMs: number, evidenceMs: number): void {
  if (nowMs - startedAtMs <= evidenceMs) return;
  throw new CodedError('STALE_EVIDENCE', 'the last probe is too old to act on: probing again');
}
