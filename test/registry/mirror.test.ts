import { afterEach, expect, test, vi } from 'vitest';
import { type MirrorView, nothingKnown, relistMs, runMirror } from '../../src/registry/mirror.ts';
import { fakePrefixStore } from '../support/fake-prefix-store.ts';
import { virtualClock } from '../support/virtual-clock.ts';

let stop = new AbortController();
afterEach(() => stop.abort());

/** A mirror of a store that holds /test/a at revision 2, run for as long as the test. */
function mirrored({ away = false } = {}) {
  stop = new AbortController();
  const store = fakePrefixStore();
  const clock = virtualClock();
  const views: MirrorView[] = [];
  store.away = away;
  store.put('/test/a', '127.0.0.1:8001');
  const onChange = (view: MirrorView) => views.push(view);
  const ended = runMirror('/test', { store, clock, random: () => 0, onChange }, stop.signal);
  const view = () => views.at(-1) ?? nothingKnown;
  const keys = () => [...(view().snapshot?.keys.keys() ?? [])];
  return { store, clock, views, view, keys, ended };
}

test('it lists, then watches from the revision after the listing', async () => {
  const { store, clock, view, keys } = mirrored();
  await clock.advance(0);
  expect(store.calls).toEqual(['list', 'watch 3']);
  expect(keys()).toEqual(['/test/a']);
  expect(view()).toMatchObject({ connected: true, trouble: undefined, listedAtMs: 0 });
});

test('what the watch tells is shown at once', async () => {
  const { store, clock, keys } = mirrored();
  await clock.advance(0);
  store.put('/test/b', '127.0.0.1:8002');
  expect(keys()).toEqual(['/test/a', '/test/b']);
  store.delete('/test/a');
  expect(keys()).toEqual(['/test/b']);
});

test('a broken watch is not resumed: the next session lists first and watches from there', async () => {
  const { store, clock, view, keys } = mirrored();
  await clock.advance(0);
  store.cut('connection reset');
  store.put('/test/b', '127.0.0.1:8002');
  store.put('/test/c', '127.0.0.1:8003');
  await clock.advance(0);
  expect(view()).toMatchObject({ connected: false, trouble: 'connection reset' });
  expect(keys()).toEqual(['/test/a']);
  await clock.advance(100);
  expect(store.calls).toEqual(['list', 'watch 3', 'list', 'watch 5']);
  expect(keys()).toEqual(['/test/a', '/test/b', '/test/c']);
  expect(view()).toMatchObject({ connected: true, trouble: undefined, snapshot: { missed: 0 } });
});

test('events that were lost are repaired by the next listing and counted by the one after', async () => {
  const { store, clock, view, keys } = mirrored();
  await clock.advance(0);
  store.deaf = true;
  store.put('/test/b', '127.0.0.1:8002');
  await clock.advance(relistMs.least - 1);
  expect(keys()).toEqual(['/test/a']);
  await clock.advance(1);
  expect(keys()).toEqual(['/test/a', '/test/b']);
  expect(view().snapshot?.missed).toBe(0);
  await clock.advance(relistMs.least);
  expect(view().snapshot?.missed).toBe(1);
  // A watch that does not tell is no watch: the next session has one of its own.
  expect(view().connected).toBe(false);
  store.deaf = false;
  await clock.advance(200);
  expect(store.watches).toBe(1);
  expect(store.calls.filter((call) => call.startsWith('watch'))).toHaveLength(2);
  expect(view().connected).toBe(true);
});

test('while etcd is away the last good copy stands, and its age grows', async () => {
  const { store, clock, view, keys } = mirrored();
  await clock.advance(0);
  store.away = true;
  store.cut('connection refused');
  await clock.advance(60_000);
  expect(keys()).toEqual(['/test/a']);
  expect(view()).toMatchObject({ connected: false, trouble: 'etcd is away', listedAtMs: 0 });
  store.away = false;
  await clock.advance(2000);
  expect(view()).toMatchObject({ connected: true, trouble: undefined });
  expect(view().listedAtMs).toBeGreaterThan(60_000);
});

test('the pauses between sessions grow to a bound', async () => {
  const { clock } = mirrored({ away: true });
  const sleep = vi.spyOn(clock, 'sleep');
  await clock.advance(5000);
  // Half of 200 ms doubled up to 2000 ms, since the random half is 0.
  expect(sleep.mock.calls.map(([ms]) => ms)).toEqual([100, 200, 400, 800, 1000, 1000, 1000, 1000]);
});

test('one failed listing is no end of the session, two in a row are', async () => {
  const { store, clock, view } = mirrored();
  await clock.advance(0);
  store.away = true;
  await clock.advance(relistMs.least);
  expect(view().connected).toBe(true);
  store.away = false;
  await clock.advance(relistMs.least);
  store.away = true;
  await clock.advance(relistMs.least);
  expect(view().connected).toBe(true);
  await clock.advance(relistMs.least);
  expect(view().connected).toBe(false);
  expect(store.watches).toBe(0);
});

test('a wiped store is another epoch, watched from its own beginning', async () => {
  const { store, clock, view, keys } = mirrored();
  await clock.advance(0);
  store.wipe();
  await clock.advance(relistMs.least);
  expect(view()).toMatchObject({ snapshot: { epoch: 1, revision: 1 }, connected: false });
  expect(view().trouble).toContain('wiped');
  expect(keys()).toEqual([]);
  await clock.advance(100);
  expect(store.calls.slice(-2)).toEqual(['list', 'watch 2']);
  expect(view()).toMatchObject({ snapshot: { epoch: 1 }, connected: true });
});

test('before the first listing nothing is known but why', async () => {
  const { clock, view } = mirrored({ away: true });
  await clock.advance(500);
  expect(view()).toEqual({ ...nothingKnown, trouble: 'etcd is away' });
});

test('it ends when it is told to, wherever it is, and its watch with it', async () => {
  const { store, clock, ended, views } = mirrored();
  await clock.advance(0);
  stop.abort();
  await ended;
  expect(store.watches).toBe(0);
  const seen = views.length;
  await clock.advance(60_000);
  expect(views.length).toBe(seen);
});
