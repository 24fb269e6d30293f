/**
 * The mirror against a plain map: random puts, deletes and transactions, and whatever can befall
 * etcd and the way there, on a real etcd for each world. After each round everything is left in
 * peace, and the mirror must be right within a time that can be computed; on the way it may show
 * nothing but moments that the store has really had.
 *
 * ROLLCALL_TEST_SEED: the seed of a run that failed, which its message names. The same steps come
 * again; how they fall in time does not.
 */
import { expect, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { watchReadyMs } from '../../src/registry/etcd/watch.ts';
import { relistMs } from '../../src/registry/mirror.ts';
import { haste } from '../support/hasty-clock.ts';
import { type Step, roundsOf } from '../support/mirror-steps.ts';
import { openMirrorWorld } from '../support/mirror-world.ts';
import { measureStalls } from '../support/stalls.ts';
import { sameContent } from '../support/store-past.ts';

const seed = Number(process.env['ROLLCALL_TEST_SEED'] ?? Date.now() % 1_000_000);
/** As many as vitest runs at once. */
const worlds = [0, 1, 2, 3, 4];
/** In every other world bytes may be lost on connections that stay. Those rounds take longer. */
const rounds = { lossy: 12, lossless: 20 };

/** One try on a connection that died unnoticed, the pause between sessions, and until a listing. */
const restMs = 2000 + (2000 + relistMs.most) / haste + 1000;

type World = Awaited<ReturnType<typeof openMirrorWorld>>;

async function comesToRest({ view, past, told }: World) {
  using stalls = measureStalls();
  const startedAtMs = performance.now();
  const isRight = () => {
    const { snapshot, listedAtMs = 0 } = view();
    // An empty store looks like another one before it is listed.
    const isNew = listedAtMs > told.wipe.atMs;
    if (snapshot && isNew && sameContent(past.content, snapshot.keys)) return true;
    const overdueMs = performance.now() - startedAtMs - stalls.totalMs - restMs;
    if (overdueMs > 0) throw new Error('the mirror is not what etcd is');
    return 'another content';
  };
  // The end is in `isRight`, which knows how long this process did not run.
  await waitUntil({ expected: 'the content of etcd', withinMs: 60_000, everyMs: 5 }, isRight);
  await waitUntil(
    { expected: 'a session', withinMs: restMs + watchReadyMs },
    () => view().connected || `${view().trouble}`,
  );
  await waitUntil({ expected: 'the content of etcd still', withinMs: restMs }, isRight);
}

async function round(world: World, steps: readonly Step[]) {
  const { past, told, view, make, calm, takeViews } = world;
  const wipesBefore = past.wipes;
  let last = view().snapshot;
  for (const step of steps) await make(step);
  await calm();
  await comesToRest(world);
  for (const { view: seen, isOfWiped } of takeViews()) {
    const { snapshot } = seen;
    if (last) expect(snapshot, 'nothing is forgotten').toBeDefined();
    if (!snapshot) continue;
    const isTrue = past.recognises(snapshot) || (isOfWiped && past.hasHad(snapshot));
    expect(isTrue, 'a moment that the store has had').toBe(true);
    if (last?.epoch === snapshot.epoch) {
      expect(snapshot.revision).toBeGreaterThanOrEqual(last.revision);
    }
    last = snapshot;
  }
  const { epoch, missed } = view().snapshot ?? { epoch: -1, missed: -1 };
  expect(missed, 'what the watch could not tell').toBeLessThanOrEqual(told.mayMiss);
  expect(epoch).toBeLessThanOrEqual(past.wipes);
  if (past.wipes > wipesBefore && past.givesAway(told.wipe.knownUpTo)) {
    expect(epoch, 'the wipe was noticed').toBeGreaterThan(told.wipe.epoch);
  }
}

test.concurrent.each(worlds)(
  'world %i: right after each round, and never wrong on the way',
  async (n) => {
    const isLossy = n % 2 === 1;
    const lives = roundsOf(seed + n, isLossy ? rounds.lossy : rounds.lossless, isLossy);
    await using world = await openMirrorWorld();
    for (const [count, steps] of lives.entries()) {
      try {
        await round(world, steps);
      } catch (cause) {
        const which = `ROLLCALL_TEST_SEED=${seed}, world ${n}, round ${count}`;
        const made = steps.map((step) => `\n  ${JSON.stringify(step)}`).join('');
        throw new Error(`${which}: ${messageOf(cause)}${made}`, { cause });
      }
    }
    // The last round may have ended with a wipe.
    expect(world.past.valuesEver).toBeGreaterThan(10);
  },
  120_000,
);
