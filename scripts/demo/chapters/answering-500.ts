/**
 * An apache that answers 500 to everything. Such an answer is passed on to the client, who may have
 * asked for something that is not to be done twice; so it costs requests until the removal.
 */
import { refusedMs } from '../cadence.ts';
import type { Chapter } from '../chapter.ts';
import { shareOf } from '../cost.ts';
import { pick } from '../pick.ts';
import { seconds, watchRemoval } from '../removal.ts';

export const answering500: Chapter = {
  name: '500',
  title: 'an apache answers 500 to everything',
  sabotage: 'its watchdog is frozen, so the key goes only when its lease ends: too late',
  async run(stage) {
    const backend = pick(stage, 2);
    if (stage.sabotaged) await backend.watchdog.freeze();
    await backend.apache.failing(true);
    const { keyGoneMs, unservedMs, unservedAt } = await watchRemoval(stage, backend, refusedMs);
    return {
      cost: {
        mayFail: ({ startedAt, failure, answeredBy }) =>
          failure === 'status 500' && answeredBy === backend.address && startedAt <= unservedAt,
        atMost: shareOf(stage, unservedMs),
      },
      line: `${backend.name} answers 500: key gone ${seconds(keyGoneMs)}, out of nginx ${seconds(unservedMs)}`,
    };
  },
};
