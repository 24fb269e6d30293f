/** `rollcall drain --wait`, on a real etcd: whom it waits for. */
import { expect, inject, test } from 'vitest';
import { openDraining, stillRuns } from './drain-command-world.ts';

const open = () => openDraining(inject('etcdUrl'));

test('of a key by hand: it waits until every balancer has confirmed the deletion', async () => {
  await using world = await open();
  await world.byHand();
  const [lb1, lb2] = [await world.balancer('lb1'), await world.balancer('lb2')];
  await Promise.all([lb1.says(await world.revision()), lb2.says(await world.revision())]);
  const run = world.drain();
  await world.untilOrdered('a');
  const at = await world.orderRevision('a');
  await lb1.says(at);
  await lb2.says(at - 1);
  await stillRuns(run);
  await lb2.says(at);
  const ran = await run;
  expect(ran).toMatchObject(world.drainedBy('lb1', 'lb2'));
  expect(ran.stderr).toContain('confirmed: lb1 (pid 7)');
  expect(ran.stderr).toContain(
    `not confirmed yet: lb2 (pid 7): its nginx serves revision ${at - 1}, and ${at} is needed`,
  );
  // The deletion is what was waited for: nothing was written beside it.
  expect(await world.orderPuts('a')).toBe(1);
});

test('of a watchdog: it waits until the key is gone, and for what the record says of it', async () => {
  await using world = await open();
  const watchdog = await world.holds('a');
  const lb1 = await world.balancer('lb1');
  const run = world.drain();
  await world.untilOrdered('a');
  await lb1.says(await world.revision());
  await stillRuns(run);
  const at = await watchdog.obeys();
  await stillRuns(run);
  await lb1.says(at);
  const ran = await run;
  expect(ran).toMatchObject(world.drainedBy('lb1'));
  expect(ran.stderr).toContain('is still there, held by its watchdog on web1 (pid 42)');
  expect(ran.stderr).not.toContain('again');
  expect(await world.orderPuts('a')).toBe(1);
});

test('of a watchdog that dies: balancers are asked by the order, put once more as it is', async () => {
  await using world = await open();
  const watchdog = await world.holds('a');
  const lb1 = await world.balancer('lb1');
  const run = world.drain('--reason', 'kernel');
  await world.untilOrdered('a');
  const [ordered, before] = [await world.orderRevision('a'), await world.order('a')];
  await watchdog.dies();
  await lb1.says(await world.revision());
  await stillRuns(run);
  const asked = await world.orderRevision('a');
  expect(asked).toBeGreaterThan(ordered);
  expect(await world.order('a')).toEqual(before);
  await lb1.says(asked);
  expect(await run).toMatchObject(world.drainedBy('lb1'));
  expect(await world.orderPuts('a')).toBe(2);
});

test('a drain that was ordered before is waited for by whoever asks', async () => {
  await using world = await open();
  await world.byHand();
  await world.run(['drain', world.key]);
  const lb1 = await world.balancer('lb1');
  const run = world.drain();
  await stillRuns(run);
  await lb1.says(await world.orderRevision('a'));
  const ran = await run;
  expect(ran).toMatchObject(world.drainedBy('lb1'));
  expect(ran.stderr).toContain('it is drained already');
});

test('who comes is waited for, and who dies has no say any more', async () => {
  await using world = await open();
  await world.byHand();
  const [lb1, lb2] = [await world.balancer('lb1'), await world.balancer('lb2')];
  const run = world.drain();
  await world.untilOrdered('a');
  const lb3 = await world.balancer('lb3');
  const at = await world.orderRevision('a');
  await lb1.says(at);
  await lb2.dies();
  await stillRuns(run);
  await lb3.says(at);
  const ran = await run;
  expect(ran).toMatchObject(world.drainedBy('lb1', 'lb3'));
  expect(ran.stderr).toContain('lb3 (pid 7): its nginx is not proven to serve anything yet');
});

test('--drain-until finished: not while an older generation lives', async () => {
  await using world = await open();
  await world.byHand();
  const lb1 = await world.balancer('lb1');
  const run = world.drain('--drain-until', 'finished');
  await world.untilOrdered('a');
  const at = await world.orderRevision('a');
  await lb1.says(at, { olderLive: true });
  await stillRuns(run);
  await lb1.says(at, { olderLive: false });
  const { status, stdout, stderr } = await run;
  expect(status).toBe(0);
  expect(stdout).toContain('and what was begun before has ended');
  expect(stderr).toContain('older generations of its nginx still live');
});
