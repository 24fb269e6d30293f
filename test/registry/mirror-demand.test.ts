// A revision that somebody waits for, and that no watch may tell of: the mirror lists sooner than it would.
import { afterEach, expect, test } from 'vitest';
import { Wakeup } from '../../src/lib/wakeup.ts';
import {
  demandedMs,
  type MirrorView,
  nothingKnown,
  relistMs,
  runMirror,
} from '../../src/registry/mirror.ts';
import { fakePrefixStore } from '../support/fake-prefix-store.ts';
import { virtualClock } from '../support/virtual-clock.ts';

let stop = new AbortController();
afterEach(() => stop.abort());

/** A mirror of a store that holds /test/a at revision 2, of which revisions can be asked. */
function mirrored() {
  stop = new AbortController();
  const store = fakePrefixStore();
  const clock = virtualClock();
  const bell = new Wakeup();
  let view: MirrorView = nothingKnown;
  let demanded = 0;
  store.put('/test/a', '127.0.0.1:8001');
  const ended = runMirror(
    '/test',
    {
      ...{ store, clock, random: () => 0, onChange: (latest) => (view = latest) },
      demand: { bell, revision: () => demanded },
    },
    stop.signal,
  );
  return {
    ...{ store, clock, ended, view: () => view },
    lists: () => store.calls.filter((call) => call === 'list').length,
    ask: (revision: number) => {
      demanded = revision;
      bell.ring();
    },
  };
}

test('a revision that is waited for and that no watch tells of is listed soon', async () => {
  const { store, clock, view, ask, lists } = mirrored();
  await clock.advance(1000);
  store.put('/elsewhere/a', 'x');
  ask(3);
  await clock.advance(demandedMs - 1);
  expect([lists(), view().snapshot?.revision]).toEqual([1, 2]);
  await clock.advance(1);
  expect([lists(), view().snapshot?.revision]).toEqual([2, 3]);
  expect(view()).toMatchObject({ connected: true, listedAtMs: 1000 + demandedMs });
});

test('what the watch tells of in the meantime is not listed for', async () => {
  const { store, clock, ask, lists } = mirrored();
  await clock.advance(0);
  ask(3);
  await clock.advance(demandedMs / 2);
  store.put('/test/b', '127.0.0.1:8002');
  await clock.advance(relistMs.least - demandedMs);
  expect(lists()).toBe(1);
});

test('however often it is asked, it does not list more often than that; and else as always', async () => {
  const { store, clock, ask, lists } = mirrored();
  await clock.advance(0);
  for (let n = 0; n < 100; n += 1) {
    store.put('/elsewhere/a', `${n}`);
    ask(3 + n);
    await clock.advance(10);
  }
  expect(lists()).toBeLessThanOrEqual(1 + 1000 / demandedMs);
  expect(lists()).toBeGreaterThan(3);
  const before = lists();
  await clock.advance(3 * relistMs.least + 500);
  expect(lists() - before).toBeLessThanOrEqual(4);
});

test('a revision that this store does not reach is asked for once', async () => {
  const { clock, ask, lists } = mirrored();
  await clock.advance(0);
  ask(500);
  await clock.advance(relistMs.least - 1);
  expect(lists()).toBe(2);
  // After that one, another store counts anew.
  ask(400);
  await clock.advance(demandedMs);
  expect(lists()).toBe(3);
});

test('asked for while a listing runs or fails, nothing is lost for longer than until the next', async () => {
  const { store, clock, view, ask } = mirrored();
  await clock.advance(0);
  store.put('/elsewhere/a', 'x');
  store.away = true;
  ask(3);
  await clock.advance(demandedMs);
  expect(view()).toMatchObject({ connected: true, snapshot: { revision: 2 } });
  store.away = false;
  await clock.advance(relistMs.least);
  expect(view().snapshot?.revision).toBe(3);
});

test('it ends while it waits for what is asked for', async () => {
  const { store, clock, ended, ask } = mirrored();
  await clock.advance(0);
  ask(3);
  await clock.advance(1);
  stop.abort();
  await ended;
  expect(store.watches).toBe(0);
});
