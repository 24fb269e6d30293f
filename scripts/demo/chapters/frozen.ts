/**
 * An apache frozen with all its workers. The kernel still accepts connections for it, so nginx
 * cannot know: what it was sent before its removal hangs until the client gives up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { silentMs } from '../cadence.ts';
import type { Chapter } from '../chapter.ts';
import { shareOf } from '../cost.ts';
import { pick } from '../pick.ts';
import { seconds, watchRemoval } from '../removal.ts';
import { now } from '../steady-client.ts';

const TOO_SHORT_MS = 200;

export const frozen: Chapter = {
  name: 'frozen',
  title: 'an apache is frozen (kill -STOP)',
  sabotage: 'it is resumed before a probe can fail',
  async run(stage) {
    const backend = pick(stage, 1);
    const frozenAt = now();
    await backend.apache.freeze();
    if (stage.sabotaged) {
      await sleep(TOO_SHORT_MS);
      backend.apache.resume();
    }
    const { keyGoneMs, unservedMs, unservedAt } = await watchRemoval(stage, backend, silentMs);
    return {
      line: `${backend.name} kill -STOP: key gone ${seconds(keyGoneMs)}, out of nginx ${seconds(unservedMs)}`,
      cost: {
        mayFail: ({ endedAt, startedAt, failure }) =>
          endedAt >= frozenAt &&
          startedAt <= unservedAt &&
          failure?.startsWith('no answer') === true,
        atMost: shareOf(stage, unservedMs),
      },
    };
  },
};
