/**
 * A body on its way in: counted, and kept only as far as something is looked for in it,
 * never beyond its limit.
 */
import type { BodyMatch } from './body-match.ts';
import type { Verdict } from './verdict.ts';

export interface BoundedBody {
  /** @returns true once there is no need to read on. */
  add(chunk: Buffer): boolean;
  /** `ended`: all of it has come; else reading stopped at the limit. */
  judge(ended: boolean): Verdict;
}

export function boundedBody(match: BodyMatch | undefined, limitBytes: number): BoundedBody {
  let kept = Buffer.alloc(0);
  let bytes = 0;
  return {
    add: (chunk) => {
      const wanted = chunk.subarray(0, limitBytes - bytes);
      // One buffer that grows: a body may come a byte at a time, and each piece kept costs 140 more.
      if (match) {
        if (bytes + wanted.length > kept.length) {
          const larger = Buffer.alloc(
            Math.min(limitBytes, Math.max(4096, 2 * kept.length, bytes + wanted.length)),
          );
          kept.copy(larger, 0, 0, bytes);
          kept = larger;
        }
        wanted.copy(kept, bytes);
      }
      bytes += wanted.length;
      return wanted.length < chunk.length;
    },
    judge: (ended) => {
      if (!match || match.found(kept.subarray(0, bytes))) return { passed: true };
      const read = ended ? `all of its ${bytes} bytes` : `its first ${bytes} bytes`;
      return { passed: false, kind: 'body', reason: `body does not ${match.words} in ${read}` };
    },
  };
}
