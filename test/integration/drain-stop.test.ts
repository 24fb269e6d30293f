/**
 * SIGTERM to a watchdog: its key goes, and the watchdog ends when no nginx sends requests to its
 * backend any more.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import {
  confirmedText,
  type DrainedSite,
  readiness,
  startDrainedSite,
  stopped,
  untilKey,
  untilMissing,
  untilStage,
  untilTold,
} from '../support/drained-site.ts';
import { measureStalls } from '../support/stalls.ts';

/** Two balancers, each with an nginx, and two backends that both of these send requests to. */
async function pair(site: DrainedSite, flags = {}) {
  const fronts = [await site.addFront(), await site.addFront()] as const;
  const stays = await site.addMember('stays');
  const goes = await site.addMember('goes', flags);
  return { fronts, stays, goes };
}

test('the key goes, the backend is served on until nobody asks it, and then the watchdog ends', async () => {
  await using site = await startDrainedSite();
  const { fronts, goes, stays } = await pair(site);
  await using client = site.askAllAlong(...fronts);
  await client.ask(20);
  for (const { site: at } of fronts) {
    expect(client.reachedSince(goes.backend, 0).join()).toContain(at.url);
  }

  const sentMs = performance.now();
  const gone = untilKey(site, 'goes', 'gone').then(() => performance.now());
  using stalls = measureStalls();
  const { code, endedMs, tookMs, last, confirmed } = await stopped(goes.watchdog);
  expect(code).toBe(0);
  expect(await gone).toBeLessThan(endedMs);
  const names = fronts.map(({ who }) => who).toSorted();
  expect(last).toMatchObject({ msg: confirmedText, by: 'shutdown' });
  expect(confirmed).toEqual(names);
  // Of which the larger part is nginx's check and reload, twice at the same time.
  expect(tookMs).toBeLessThan(3000 + stalls.totalMs);

  await client.ask(100);
  expect(client.reachedSince(goes.backend, endedMs)).toEqual([]);
  expect(client.reachedSince(goes.backend, sentMs).length).toBeGreaterThan(0);
  expect(client.reachedSince(stays.backend, endedMs).length).toBeGreaterThan(100);
  expect(client.failures()).toEqual([]);
});

test('--drain-until finished: it ends only after the last request that was under way', async () => {
  await using site = await startDrainedSite();
  const { fronts, goes } = await pair(site, { 'drain-until': 'finished' });
  const { answered } = await goes.backend.hold(fronts[0].site.url);
  const ends = stopped(goes.watchdog);
  await untilTold(goes.watchdog, 'older generations of its nginx still live');
  // Long enough for the watchdog to have looked again.
  expect(await Promise.race([ends, sleep(2500, 'still running')])).toBe('still running');
  expect((await goes.watchdog.status()).waitsFor).toEqual([
    { who: fronts[0].who, why: 'older generations of its nginx still live' },
  ]);
  const releasedMs = performance.now();
  goes.backend.release();
  await answered;
  const { code, endedMs, last } = await ends;
  expect(code).toBe(0);
  expect(endedMs).toBeGreaterThan(releasedMs);
  expect(last).toMatchObject({ msg: confirmedText });
}, 40_000);

test('--drain-until finished: it also waits for connections on which nothing has been asked yet', async () => {
  await using site = await startDrainedSite();
  const front = await site.addFront();
  await site.addMember('stays');
  const { backend, watchdog } = await site.addMember('goes', { 'drain-until': 'finished' });
  const { hostname: host, port } = new URL(front.site.url);
  const silent = Array.from({ length: 4 }, () => connect(Number(port), host));
  await Promise.all(silent.map((one) => once(one, 'connect')));
  // nginx has taken them by the time it answers another.
  await httpGet(front.site.url, 1000);
  const ends = stopped(watchdog);
  await untilMissing(watchdog, `${front.who}: older generations of its nginx still live`);
  // Not ended from here: nginx would take that for a client that has gone.
  const text = 'GET /?n=0 HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n';
  for (const one of silent) one.write(text);
  await Promise.all(silent.map((one) => once(one.resume(), 'close')));
  const { last } = await ends;
  expect(last.msg).toBe(confirmedText);
  // This is why: an older worker asks whom it knows.
  expect(backend.reachedBy.length).toBeGreaterThan(0);
}, 40_000);

test('the last backend: a warning, and it goes all the same; nginx answers 503', async () => {
  await using site = await startDrainedSite();
  const front = await site.addFront();
  const { backend, watchdog } = await site.addMember('only');
  await using client = site.askAllAlong(front);
  await client.ask(5);
  const { code, endedMs, last } = await stopped(watchdog);
  expect([code, last.msg]).toEqual([0, confirmedText]);
  const warned = watchdog.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
  expect(warned).toEqual(['this is the last backend: without it nginx answers 503']);
  await client.ask(10);
  expect(client.reachedSince(backend, endedMs)).toEqual([]);
  const answers = client.asked.filter(({ begunMs }) => begunMs >= endedMs);
  expect(new Set(answers.slice(0, 10).map(({ answer }) => answer))).toEqual(new Set(['503']));
});

test('where another backend stays there is no such warning', async () => {
  await using site = await startDrainedSite();
  await site.addFront();
  await site.addMember('stays');
  const { watchdog } = await site.addMember('goes');
  expect((await stopped(watchdog)).code).toBe(0);
  expect(watchdog.log.filter(({ level }) => level === 'warn')).toEqual([]);
});

test('a second SIGTERM ends the watchdog at once, with status 143', async () => {
  await using site = await startDrainedSite();
  const front = await site.addFront();
  await site.addMember('stays');
  const { watchdog } = await site.addMember('goes');
  await front.balancer.freeze();
  const ended = watchdog.ended();
  process.kill(watchdog.pid ?? 0, 'SIGTERM');
  await untilStage(watchdog, 'waiting');
  expect(await readiness(watchdog)).toContain('503 draining: stopping, the key went at revision');
  using stalls = measureStalls();
  const sentMs = performance.now();
  process.kill(watchdog.pid ?? 0, 'SIGTERM');
  expect(await ended).toEqual({ code: 143, signal: null });
  expect(performance.now() - sentMs).toBeLessThan(500 + stalls.totalMs);
  expect(await site.keys.read('goes')).toBeUndefined();
  front.balancer.resume();
});

test('no balancer is known: it serves on for --drain-grace, and ends', async () => {
  await using site = await startDrainedSite();
  const graceMs = 1000;
  const { watchdog } = await site.addMember('goes', { 'drain-grace': `${graceMs}ms` });
  using stalls = measureStalls();
  const { code, tookMs, last } = await stopped(watchdog);
  expect([code, last.msg]).toEqual([0, 'drained: no balancer is known, and the grace is over']);
  expect(tookMs).toBeGreaterThan(graceMs);
  expect(tookMs).toBeLessThan(graceMs + 1500 + stalls.totalMs);
});

test('--balancers 1, and none is known: it is missed until --drain-timeout', async () => {
  await using site = await startDrainedSite();
  const backend = await site.addBackend('goes');
  const watchdog = await site.watch(backend, { balancers: 1, 'drain-timeout': '2s' });
  await waitUntil({ expected: 'a balancer missed', withinMs: 5000 }, async () => {
    const said = await readiness(watchdog);
    return said.endsWith('balancers: 0 of at least 1 are alive') || said;
  });
  const { code, tookMs, last } = await stopped(watchdog);
  expect(code).toBe(0);
  expect(tookMs).toBeGreaterThan(2000);
  expect(last).toMatchObject({
    ...{ level: 'warn', confirmed: [] },
    msg: 'not drained: --drain-timeout is over, and not all have confirmed',
    missing: ['balancers: 0 of at least 1 are alive'],
  });
});

test('--drain-timeout 0s: the key goes and the watchdog with it, whoever has not confirmed', async () => {
  await using site = await startDrainedSite();
  const front = await site.addFront();
  await site.addMember('stays');
  const { watchdog } = await site.addMember('goes', { 'drain-timeout': '0s' });
  await front.balancer.freeze();
  using stalls = measureStalls();
  const { code, tookMs, last } = await stopped(watchdog);
  expect([code, last.msg]).toEqual([0, 'the key is let go, and nobody is waited for']);
  expect(tookMs).toBeLessThan(1500 + stalls.totalMs);
  expect(watchdog.log.at(-1)?.msg).toBe('key removed: shutting down');
  expect(await site.keys.read('goes')).toBeUndefined();
  front.balancer.resume();
});
