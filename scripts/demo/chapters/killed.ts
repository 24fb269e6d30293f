/**
 * An apache killed with all its workers. Its port refuses, so nginx tries the next one at once and
 * no request fails, not even before the watchdog has noticed.
 */
import { refusedMs } from '../cadence.ts';
import type { Chapter } from '../chapter.ts';
import { pick } from '../pick.ts';
import { seconds, watchRemoval } from '../removal.ts';

export const killed: Chapter = {
  name: 'killed',
  title: 'an apache is killed (kill -9)',
  sabotage: 'the balancer is frozen, so nginx keeps the dead one',
  async run(stage) {
    const backend = pick(stage, 0);
    if (stage.sabotaged) await stage.cluster.balancer.freeze();
    await backend.apache.kill();
    const { keyGoneMs, unservedMs } = await watchRemoval(stage, backend, refusedMs);
    return {
      line: `${backend.name} kill -9: key gone ${seconds(keyGoneMs)}, out of nginx ${seconds(unservedMs)}`,
    };
  },
};
