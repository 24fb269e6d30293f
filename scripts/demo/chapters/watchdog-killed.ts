/**
 * A watchdog killed. Nobody vouches for its apache any more, so the key goes when its lease ends,
 * neither before nor much later; the apache itself is well and loses no request by it.
 */
import { expiredMs } from '../cadence.ts';
import type { Chapter } from '../chapter.ts';
import { putKey } from '../evidence.ts';
import { pick } from '../pick.ts';
import { answersItself, seconds, watchRemoval } from '../removal.ts';

export const watchdogKilled: Chapter = {
  name: 'watchdog-killed',
  title: 'a watchdog is killed (kill -9), its apache is well',
  sabotage: 'the key is put again by hand without a lease, so it never goes',
  async run(stage) {
    const backend = pick(stage, 0);
    await backend.watchdog.kill();
    if (stage.sabotaged) await putKey(stage.cluster.etcd.url, backend.key, backend.address);
    const { keyGoneMs } = await watchRemoval(stage, backend, expiredMs.atMost);
    if (keyGoneMs < expiredMs.atLeast) {
      const expected = `the key to stay ${seconds(expiredMs.atLeast)} or more`;
      throw new Error(`expected ${expected}, seen: gone after ${seconds(keyGoneMs)}`);
    }
    if (!(await answersItself(backend))) {
      throw new Error(`expected ${backend.name} to be well all the while, seen: no answer from it`);
    }
    return {
      line: `${backend.name} loses its watchdog: key gone by its lease ${seconds(keyGoneMs)}`,
    };
  },
};
