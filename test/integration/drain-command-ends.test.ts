/** `rollcall drain --wait`, on a real etcd: how it ends where it is not simply confirmed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { openDraining, stillRuns } from './drain-command-world.ts';

const open = () => openDraining(inject('etcdUrl'));

test('not confirmed in time: status 3, the order stands, and each that is missing is named', async () => {
  await using world = await open();
  await world.byHand();
  const lb1 = await world.balancer('lb1');
  await world.balancer('lb2');
  const lb3 = await world.balancer('lb3');
  const run = world.drain('--timeout', '2s');
  await world.untilOrdered('a');
  const at = await world.orderRevision('a');
  await lb1.says(at);
  // As a restore would bring it back: of a revision that is not yet.
  await lb3.says(at + 1_000_000);
  const { status, stdout, stderr } = await run;
  expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
  const last = stderr.slice(stderr.indexOf('not within 2s'));
  expect(last).toContain('not within 2s: it is not confirmed, and the order stands\n');
  expect(last).toContain('lb2 (pid 7): its nginx is not proven to serve anything yet\n');
  expect(last).toContain('lb3 (pid 7): what it acknowledges is of before etcd was restored\n');
  expect(await world.order('a')).toBeDefined();
});

test('there must be as many balancers as it is told, and none is enough where none is asked for', async () => {
  await using world = await open();
  await world.byHand();
  const { status, stderr } = await world.drain('--timeout', '500ms', '--balancers', '2');
  expect(status).toBe(3);
  expect(stderr).toContain('0 of at least 2 are alive');
  expect(await world.drain('--balancers', '0')).toMatchObject({
    status: 0,
    stdout: `${world.key} is drained: no balancer is known, so nobody had to confirm it\n`,
  });
});

test('a key that comes back makes all that was confirmed void', async () => {
  await using world = await open();
  await world.byHand();
  const lb1 = await world.balancer('lb1');
  const run = world.drain();
  await world.untilOrdered('a');
  const at = await world.orderRevision('a');
  await world.byHand();
  await lb1.says(at);
  await stillRuns(run);
  await world.keys.remove('a');
  await stillRuns(run);
  const asked = await world.orderRevision('a');
  expect(asked).toBeGreaterThan(at);
  await lb1.says(asked);
  const ran = await run;
  expect(ran).toMatchObject(world.drainedBy('lb1'));
  expect(ran.stderr).toContain(`is there again, put by hand`);
});

test('the order goes while it is waited for: status 1', async () => {
  await using world = await open();
  await world.byHand();
  const run = world.drain();
  await world.untilOrdered('a');
  await world.takeBack('a');
  const { status, stdout, stderr } = await run;
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain('the order is gone: etcd was restored, or it was taken back');
});

test('a signal ends the wait, and the order stands', async () => {
  await using world = await open();
  await world.byHand();
  const interrupted = ['timeout', '--preserve-status', '--signal=INT', '3'];
  const { status, stderr } = await world.run(['drain', world.key, '--wait'], {
    through: interrupted,
  });
  expect(status).toBe(130);
  expect(stderr).toContain('stopped by SIGINT: it is not confirmed, and the order stands');
  expect(await world.order('a')).toBeDefined();
});

test('etcd does not answer for a while: told once, and waited on', async () => {
  await using etcd = await startEtcd();
  await using world = await openDraining(etcd.url);
  await world.byHand();
  const lb1 = await world.balancer('lb1');
  const run = world.drain('--timeout', '15s');
  await world.untilOrdered('a');
  const at = await world.orderRevision('a');
  await etcd.freeze();
  await sleep(5000);
  etcd.resume();
  await lb1.says(at);
  const ran = await run;
  expect(ran).toMatchObject(world.drainedBy('lb1'));
  expect(ran.stderr.match(/etcd does not answer as it should/g)).toHaveLength(1);
});
