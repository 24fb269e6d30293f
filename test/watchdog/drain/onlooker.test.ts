import { expect, test } from 'vitest';
import { Onlooker } from '../../../src/watchdog/drain/onlooker.ts';
import { fakeLeaseStore } from '../../support/fake-lease-store.ts';
import { virtualClock } from '../../support/virtual-clock.ts';
import { acknowledgements, key } from '../../support/watching.ts';

function onlooking() {
  const clock = virtualClock();
  const store = fakeLeaseStore();
  const over = new AbortController();
  const onlooker = new Onlooker({ store, key, acknowledgements, clock, random: () => 0 });
  let rings = 0;
  const look = (isWanted: boolean) => onlooker.look(isWanted, () => (rings += 1), over.signal);
  const looks = () => store.calls.filter((call) => call === 'read moment').length;
  const end = async () => {
    over.abort(new Error('over'));
    await clock.advance(0);
  };
  return { clock, store, onlooker, look, looks, rings: () => rings, end };
}

test('it looks at once, at each change, and each second, and rings for each', async () => {
  const { clock, store, onlooker, look, looks, rings, end } = onlooking();
  look(true);
  await clock.advance(0);
  expect([looks(), rings()]).toEqual([1, 1]);
  store.put(`${acknowledgements}/lb1`, 'one');
  await clock.advance(0);
  expect(onlooker.moment?.below).toMatchObject([{ value: 'one' }]);
  await clock.advance(3000);
  expect([looks(), rings()]).toEqual([5, 5]);
  look(true);
  await clock.advance(500);
  expect(looks()).toBe(5);
  await end();
});

test('once nobody waits it looks no more; the next who waits sees nothing of before', async () => {
  const { clock, store, onlooker, look, looks, end } = onlooking();
  look(true);
  await clock.advance(0);
  look(false);
  expect(onlooker.moment).toBeUndefined();
  store.put(`${acknowledgements}/lb1`, 'one');
  await clock.advance(5000);
  expect(looks()).toBe(1);
  store.beforeAnswer = () => clock.sleep(100);
  look(true);
  expect(onlooker.moment).toBeUndefined();
  await clock.advance(100);
  expect(onlooker.moment?.below).toHaveLength(1);
  await end();
});

test('an etcd that does not answer is asked again, later and later, and the reason is known', async () => {
  const { clock, store, onlooker, look, looks, end } = onlooking();
  store.beforeAnswer = async () => {
    throw new Error('etcd is away');
  };
  look(true);
  await clock.advance(0);
  expect(onlooker.trouble).toBe('etcd is away');
  await clock.advance(10_000);
  const tries = looks();
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(20);
  store.beforeAnswer = async () => {};
  await clock.advance(2000);
  expect([onlooker.trouble, onlooker.moment !== undefined]).toEqual([undefined, true]);
  await end();
});

test('after a look that failed nothing is known, until the next one', async () => {
  const { clock, store, onlooker, look, end } = onlooking();
  look(true);
  await clock.advance(0);
  expect(onlooker.moment).toBeDefined();
  store.beforeAnswer = async () => {
    throw new Error('etcd is away');
  };
  await clock.advance(1000);
  expect([onlooker.moment, onlooker.trouble]).toEqual([undefined, 'etcd is away']);
  look(false);
  expect(onlooker.trouble).toBeUndefined();
  await end();
});

test('of balancers of a prefix below this one it knows nothing', async () => {
  const { clock, store, onlooker, look, end } = onlooking();
  store.put(`${acknowledgements}/lb1`, 'one');
  store.put(`${acknowledgements}/deep/lb2`, 'two');
  look(true);
  await clock.advance(0);
  expect(onlooker.moment?.below).toMatchObject([{ value: 'one' }]);
  await end();
});

test('more balancers than can be seen: nothing is concluded', async () => {
  const { clock, store, onlooker, look, end } = onlooking();
  for (let n = 0; n <= 1000; n += 1) store.put(`${acknowledgements}/lb${n}`, '');
  look(true);
  await clock.advance(0);
  expect(onlooker.moment).toBeUndefined();
  expect(onlooker.trouble).toContain('1000 balancers');
  await end();
});
