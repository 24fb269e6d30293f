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
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    add: (chunk) => {
      const wanted = chunk.subarray(0, limitBytes - bytes);
      bytes += wanted.length;
      // A copy: a small piece would hold on to all that came in the same read.
      if (match) chunks.push(Buffer.from(wanted));
      return wanted.length < chunk.length;
    },
    judge: (ended) => {
      if (!match || match.found(Buffer.concat(chunks))) return { passed: true };
      const read = ended ? `all of its ${bytes} bytes` : `its first ${bytes} bytes`;
      return { passed: false, kind: 'body', reason: `body does not ${match.words} in ${read}` };
    },
  };
}
