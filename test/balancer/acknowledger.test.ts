import { afterEach, expect, test } from 'vitest';
import { Acknowledger, type AcknowledgerEvent } from '../../src/balancer/acknowledger.ts';
import { fakeLeaseStore } from '../support/fake-lease-store.ts';
import { virtualClock } from '../support/virtual-clock.ts';

let stop = new AbortController();
afterEach(() => stop.abort());

const key = '/rollcall/balancers/test/one';
const ttlMs = 9000;

function acknowledging() {
  stop = new AbortController();
  const clock = virtualClock();
  const store = fakeLeaseStore();
  const events: AcknowledgerEvent[] = [];
  const acknowledger = new Acknowledger({
    ...{ store, ttlMs, clock, random: () => 1 },
    onEvent: (event) => void events.push(event),
  });
  const ended = acknowledger.run(stop.signal);
  return {
    ...{ clock, store, events, acknowledger, ended },
    say: (text: string) => acknowledger.say(new Map([[key, text]])),
    held: () => store.keys.get(key),
    kinds: () => events.map(({ kind }) => kind),
  };
}

test('nothing to say: not even a lease', async () => {
  const { clock, store } = acknowledging();
  await clock.advance(60_000);
  expect(store.calls).toEqual([]);
});

test('what is said lies in etcd at once, on a lease', async () => {
  const { clock, say, held } = acknowledging();
  say('one');
  await clock.advance(1);
  expect(held()).toMatchObject({ value: 'one', leaseId: 'lease-1' });
  say('two');
  await clock.advance(1);
  expect(held()).toMatchObject({ value: 'two', leaseId: 'lease-1' });
});

test('at steady state nothing is written: the lease is renewed, three times in its TTL', async () => {
  const { clock, store, say } = acknowledging();
  say('one');
  await clock.advance(1);
  store.calls.length = 0;
  for (let n = 0; n < 100; n += 1) {
    say('one');
    await clock.advance(ttlMs / 100);
  }
  expect(store.calls).toEqual([
    'renew lease-1',
    'read',
    'renew lease-1',
    'read',
    'renew lease-1',
    'read',
  ]);
});

test('a lease that ran out: what was said may be of another store, and is asked for anew', async () => {
  const { clock, store, say, held, kinds, acknowledger, events } = acknowledging();
  say('one');
  await clock.advance(1);
  store.expire('lease-1');
  const push = events.push.bind(events);
  events.push = (...more) => {
    if (more.some(({ kind }) => kind === 'lost')) acknowledger.say(new Map([[key, 'nothing']]));
    return push(...more);
  };
  await clock.advance(ttlMs / 3);
  expect(kinds()).toEqual(['written', 'lost', 'written']);
  expect(held()).toMatchObject({ value: 'nothing', leaseId: 'lease-2' });
});

test.each([
  ['deleted', undefined, ''],
  ['overwritten', '0', 'by hand'],
  ['put on another lease', 'lease-9', 'by hand'],
  ['put as it is, on no lease', '0', 'one'],
] as const)('a key that somebody has %s is repaired, and told', async (_what, leaseId, value) => {
  const { clock, store, say, held, kinds } = acknowledging();
  say('one');
  await clock.advance(1);
  if (leaseId === undefined) store.remove(key);
  else store.put(key, value, leaseId);
  await clock.advance(ttlMs / 3);
  expect(held()).toMatchObject({ value: 'one', leaseId: 'lease-1' });
  expect(kinds()).toEqual(['written', 'repaired', 'written']);
});

test('etcd away: tried again with pauses that are bounded, and told when it is over', async () => {
  const { clock, store, say, held, kinds } = acknowledging();
  store.beforeAnswer = async () => {
    throw new Error('connection refused');
  };
  say('one');
  await clock.advance(60_000);
  const tries = store.calls.length;
  expect(tries).toBeGreaterThan(12);
  expect(tries).toBeLessThan(20);
  store.beforeAnswer = async () => {};
  await clock.advance(5000);
  expect(held()).toMatchObject({ value: 'one' });
  expect(kinds().slice(-2)).toEqual(['written', 'agrees']);
});

test('a lease that is lost between its renewal and a write is noticed at the next try', async () => {
  const { clock, store, say, held } = acknowledging();
  say('one');
  await clock.advance(1);
  store.expire('lease-1');
  say('two');
  await clock.advance(600);
  expect(held()).toMatchObject({ value: 'two', leaseId: 'lease-2' });
});

test('said while a write is under way: it follows at once', async () => {
  const { clock, store, say, held } = acknowledging();
  store.beforeAnswer = async (call) => {
    if (call.startsWith('put')) await clock.sleep(100);
  };
  say('one');
  await clock.advance(50);
  say('two');
  await clock.advance(200);
  expect(held()).toMatchObject({ value: 'two' });
});

test('at the end the lease is given back, and the key goes with it', async () => {
  const { clock, say, held, ended } = acknowledging();
  say('one');
  await clock.advance(1);
  stop.abort();
  await clock.advance(1);
  await ended;
  expect(held()).toBeUndefined();
});
