/**
 * Drains and restarts at random, by SIGTERM and by an operator's order, while balancers are killed and
 * come back and a client asks all along: from the end of a drain that was confirmed until the backend
 * is to be served again, no nginx whose balancer had confirmed it sends it a request.
 *
 * ROLLCALL_TEST_SEED: the seed of a run that failed, which its message names. The same choices are made
 * again; how they fall in time is not the same.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { messageOf } from '../../src/lib/errors.ts';
import {
  confirmedText,
  type Front,
  type Member,
  startDrainedSite,
  stopped,
  untilReady,
} from '../support/drained-site.ts';
import { openEtcdClient } from '../support/etcd-client.ts';

const seed = Number(process.env['ROLLCALL_TEST_SEED'] ?? Date.now() % 1_000_000);
const playedMs = 30_000;
/** As short as it may be: a balancer that was killed holds up a drain for so long. */
const ttl = '2s';

/** A time in which nothing may reach a backend by way of these. */
interface Silence {
  readonly member: Member;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly confirmed: readonly string[];
}

/** Deterministic, and good enough to choose by: mulberry32. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function play() {
  await using site = await startDrainedSite();
  const fronts = [await site.addFront({ ttl }), await site.addFront({ ttl })] as const;
  const members = [
    await site.addMember('a'),
    await site.addMember('b'),
    await site.addMember('c'),
  ] as const;
  using client = openEtcdClient(inject('etcdUrl'));
  await using asking = site.askAllAlong(...fronts);

  const silences: Silence[] = [];
  /** Each run of a balancer, as watchdogs name it, to its site. */
  const runs = new Map<string, string>();
  const noteRun = ({ balancer, site: { url } }: Front) =>
    void runs.set(`${hostname()} (pid ${balancer.pid})`, url);
  fronts.forEach(noteRun);

  const startedMs = performance.now();
  const isPlayed = () => performance.now() - startedMs > playedMs;

  /** One member at a time in each lane; the last member is in none, so that somebody serves. */
  async function playMember(member: Member, random: () => number) {
    const { watchdog, backend } = member;
    while (!isPlayed()) {
      await sleep(random() * 1500);
      const isStop = random() < 0.6;
      const pauseMs = random() * 1500;
      const isSwift = random() < 0.3;
      if (isStop) {
        const { code, last, confirmed, endedMs: fromMs } = await stopped(watchdog);
        expect(code).toBe(0);
        await sleep(pauseMs);
        if (last.msg === confirmedText) {
          silences.push({ member, fromMs, untilMs: performance.now(), confirmed });
        }
        await watchdog.start();
      } else {
        await client.etcd.put(site.orderKey(backend.name)).value('played');
        const confirmed = await drained(member);
        const fromMs = performance.now();
        await sleep(pauseMs);
        silences.push({ member, fromMs, untilMs: performance.now(), confirmed });
        await client.etcd.delete().key(site.orderKey(backend.name));
      }
      // Now and then it is told to go before it is in rotation.
      if (!isSwift) await untilReady(watchdog);
    }
  }

  async function playBalancers(random: () => number) {
    while (!isPlayed()) {
      await sleep(500 + random() * 2500);
      const front = fronts[random() < 0.5 ? 0 : 1];
      if (random() < 0.7) await front.balancer.kill();
      else await front.balancer.stop();
      await sleep(random() * 3500);
      await front.balancer.start();
      noteRun(front);
    }
  }

  await Promise.all([
    playMember(members[0], randomFrom(seed)),
    playMember(members[1], randomFrom(seed + 1)),
    playBalancers(randomFrom(seed + 2)),
  ]);
  for (const { watchdog } of members) await untilReady(watchdog);
  const restMs = performance.now();
  await asking.ask(30);

  const broken = silences.flatMap(({ member: { backend }, fromMs, untilMs, confirmed }) => {
    const silent = new Set(confirmed.map((who) => runs.get(who)));
    return asking
      .reachedSince(backend, fromMs, untilMs)
      .filter((one) => silent.has(one.slice(one.indexOf('http'))))
      .map((one) => `${one} reached ${backend.name}, which was drained`);
  });
  return {
    ...{ broken, failures: asking.failures() },
    confirmations: silences.reduce((sum, { confirmed }) => sum + confirmed.length, 0),
    unserved: members
      .filter(({ backend }) => asking.reachedSince(backend, restMs).length === 0)
      .map(({ backend }) => backend.name),
  };
}

test('a confirmed drain holds, whatever becomes of watchdogs and balancers meanwhile', async () => {
  const played = await play().catch((cause: unknown) => {
    throw new Error(`ROLLCALL_TEST_SEED=${seed}: ${messageOf(cause)}`, { cause });
  });
  const { confirmations, ...rest } = played;
  expect({ seed, ...rest }).toEqual({ seed, broken: [], failures: [], unserved: [] });
  // Else too little was played to tell anything.
  expect(confirmations).toBeGreaterThan(4);
}, 150_000);

/** Who had confirmed it. */
async function drained({ watchdog }: Member): Promise<readonly string[]> {
  let confirmed: readonly string[] = [];
  await waitUntil({ expected: 'an end of the drain', withinMs: 25_000 }, async () => {
    const { drain, waitsFor } = await watchdog.status();
    confirmed = drain?.confirmed ?? [];
    return (
      (drain?.by === 'operator' && drain.stage === 'over') || JSON.stringify({ drain, waitsFor })
    );
  });
  return confirmed;
}
