/** `rollcall wait --in-rotation` and `rollcall undrain --wait`, on a real etcd. */
import { expect, inject, test } from 'vitest';
import { confirmedBy, openCommandWorld, stillRuns } from './drain-command-world.ts';

const open = () => openCommandWorld(inject('etcdUrl'));

const servedBy = (key: string, ...hosts: readonly string[]) => ({
  ...{ status: 0, stdout: `${key} is in rotation: ${confirmedBy(...hosts)}\n` },
});

test('until the key is there, and every balancer has confirmed that it serves it', async () => {
  await using world = await open();
  const { keys, run } = world;
  const [lb1, lb2] = [await world.balancer('lb1'), await world.balancer('lb2')];
  const waited = run(['wait', keys.key('a'), '--in-rotation']);
  await Promise.all([lb1, lb2].map(async (one) => one.says(await world.revision())));
  await stillRuns(waited);
  await keys.put('a', '127.0.0.1:8001');
  const at = Number((await keys.read('a'))?.mod_revision);
  await lb1.says(at);
  await lb2.says(at, { omits: ['a'] });
  await stillRuns(waited);
  await lb2.says(at);
  const ran = await waited;
  expect(ran).toMatchObject(servedBy(keys.key('a'), 'lb1', 'lb2'));
  expect(ran.stderr).toContain('is not there: no watchdog is known that would put it');
  expect(ran.stderr).toContain('lb2 (pid 7): it has the key set aside or quarantined');
});

test('not in rotation in time: status 3, with who is missing', async () => {
  await using world = await open();
  const { keys, run } = world;
  await keys.put('a', '127.0.0.1:8001');
  const words = ['wait', keys.key('a'), '--in-rotation', '--timeout', '500ms'];
  const alone = await run(words);
  expect(alone).toMatchObject({ status: 3, stdout: '' });
  expect(alone.stderr).toContain('0 of at least 1 are alive');
  await world.balancer('lb1');
  const unproven = await run(words);
  expect(unproven).toMatchObject({ status: 3, stdout: '' });
  expect(unproven.stderr).toContain('lb1 (pid 7): its nginx is not proven to serve anything yet');
  await keys.put('a', 'nonsense');
  expect((await run(words)).stderr).toContain('is no backend for nginx: value: it is not IP:PORT');
});

test('a drained one does not come by itself: that is said, and waited all the same', async () => {
  await using world = await open();
  const { keys, run } = world;
  await keys.put('a', '127.0.0.1:8001');
  await keys.put('b', '127.0.0.1:8002');
  await run(['drain', keys.key('a')]);
  const lb1 = await world.balancer('lb1');
  const waited = run(['wait', keys.key('a'), '--in-rotation']);
  await stillRuns(waited);
  const back = run(['undrain', keys.key('a'), '--wait']);
  await stillRuns(back);
  await lb1.says(Number((await keys.read('a'))?.mod_revision));
  const [ran, undrained] = await Promise.all([waited, back]);
  expect(ran).toMatchObject(servedBy(keys.key('a'), 'lb1'));
  expect(ran.stderr).toMatch(/is drained since 20.+ by .+: it does not come by itself/);
  expect(undrained).toMatchObject(servedBy(keys.key('a'), 'lb1'));
  expect(undrained.stderr).toContain('put back as it was');
});

test('what a watchdog says of it is told', async () => {
  await using world = await open();
  const { keys, run } = world;
  const watchdog = await world.holds('a');
  await world.holds('b');
  await watchdog.obeys();
  const words = ['wait', keys.key('a'), '--in-rotation', '--timeout', '300ms'];
  expect((await run(words)).stderr).toContain('its watchdog on web1 (pid 42) finds it up');
});
