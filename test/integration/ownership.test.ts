/** Who holds a key, who waits for it, and what becomes of what others do to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { type Flags, startWatchdog } from '../../scripts/parts/rollcall.ts';
import { type Look, waitUntil } from '../../scripts/parts/wait-until.ts';
import { openKeys } from '../support/keys.ts';
import { watchRecord } from '../support/record-watch.ts';

/** Long enough for a machine that is busy with other tests. */
const soonMs = 10_000;
const until = (expected: string, look: () => Promise<Look>) =>
  waitUntil({ expected, withinMs: soonMs }, look);

async function world(flags: Flags = {}) {
  await using stack = new AsyncDisposableStack();
  const keys = stack.use(await openKeys(inject('etcdUrl')));
  const apache = stack.use(await startApache());
  const key = keys.key('apache');
  const watched = stack.use(await watchRecord(inject('etcdUrl'), key));
  const start = (more: Flags = {}) =>
    startWatchdog({
      ...{ etcd: inject('etcdUrl'), key, address: apache.address, interval: '500ms' },
      ...{ 'fast-interval': '100ms', ...flags, ...more },
    });
  const watchdog = stack.use(await start());
  const holds = (value: string) => async () => {
    const found = await keys.read('apache');
    return found?.value.toString() === value || `${found?.value.toString()}`;
  };
  const registered = () => until('the key', holds(apache.address));
  await registered();
  const owned = stack.move();
  return {
    ...{ keys, key, apache, watchdog, watched, start, holds, registered },
    lease: async () => (await keys.read('apache'))?.lease,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('a second watchdog waits, says who holds the key, and takes over when that one goes', async () => {
  await using first = await world();
  const { keys, apache, watchdog, start, holds, lease } = first;
  const before = await lease();
  const address = `127.0.0.1:${await freePort()}`;
  await using second = await start({ address, probe: apache.url });
  const { instance, host } = await watchdog.status();
  await until('the second one standing by', async () => {
    const { registration } = await second.status();
    const expected = `held by the watchdog ${instance} on ${host}, as ${apache.address}`;
    return registration === expected || registration;
  });
  const said = second.log.filter(({ msg }) => msg.includes('standing by until it goes'));
  expect(said).toMatchObject([{ level: 'warn', instance, host, pid: watchdog.pid }]);
  await sleep(1500);
  expect(await lease()).toBe(before);
  expect(said).toHaveLength(1);

  await watchdog.stop();
  await until('the key of the second', holds(address));
  const kinds = (await keys.history()).map(({ kind }) => kind);
  expect(kinds).toEqual(['put', 'delete', 'put']);
});

test('a second watchdog of the same apache waits too, for as long as the first one renews', async () => {
  await using first = await world();
  const { start, lease, watchdog } = first;
  const before = await lease();
  await using second = await start();
  await until('the second one standing by', async () => {
    const { registered, registration } = await second.status();
    return (!registered && registration.startsWith('held by the watchdog')) || registration;
  });
  await sleep(6000);
  expect(await lease()).toBe(before);
  expect((await watchdog.status()).registered).toBe(true);
}, 30_000);

test('a key deleted or overwritten by hand comes back within a second', async () => {
  await using one = await world({ interval: '10s', ttl: '60s' });
  const { keys, apache, watchdog, holds } = one;
  // The interval is 10 s: it is the change itself that is noticed, and not the next probe.
  await keys.remove('apache');
  await until('the key again', holds(apache.address));
  await keys.put('apache', '10.0.0.1:1');
  await until('our value again', holds(apache.address));
  const repairsTold = () =>
    watchdog.log.filter(({ msg, level }) => msg === 'key written' && level === 'warn');
  // etcd has it before the watchdog has heard so.
  await until('both repairs told', async () => repairsTold().length > 1 || 'one of them');
  const repairs = repairsTold();
  expect(repairs.map(({ because }) => because)).toEqual(['deleted by hand', 'overwritten by hand']);
  const metrics = await (await fetch(`${watchdog.adminUrl}/metrics`)).text();
  expect(metrics).toMatch(/^rollcall_repairs_total\{what="key_deleted"\} 1$/m);
  expect(metrics).toMatch(/^rollcall_repairs_total\{what="key_overwritten"\} 1$/m);
});

test('where changes by hand are respected, a deleted key stays deleted until the next start', async () => {
  await using one = await world({ 'by-hand': 'respect' });
  const { keys, watchdog, registered } = one;
  await keys.remove('apache');
  await until('the watchdog to stand aside', async () => {
    const { registration } = await watchdog.status();
    return registration.startsWith('not held: deleted by hand') || registration;
  });
  await sleep(2000);
  expect(await keys.read('apache')).toBeUndefined();
  await watchdog.stop();
  await watchdog.start();
  await registered();
});

test('the record: what the watchdog is and sees, changed by transitions only', async () => {
  await using one = await world({ interval: '100ms' });
  const { keys, apache, watchdog, watched } = one;
  const { instance } = await watchdog.status();
  expect(await watched.record()).toMatchObject({
    ...{ instance, pid: watchdog.pid, address: apache.address, probe: apache.url },
    ...{ state: 'up', reason: null, admin: new URL(watchdog.adminUrl).host },
  });
  const changes = watched.changes.length;
  await sleep(2000);
  expect(watched.changes).toHaveLength(changes);

  await apache.failing(true);
  await until('no key', async () => (await keys.read('apache')) === undefined || 'the key');
  const gone = () => watched.changes.find(({ what, kind }) => what === 'key' && kind === 'delete');
  const verdict = () => watched.changes.find(({ value }) => value.includes('"state":"down"'));
  // Each is told on a watch of its own, in its own time.
  await until('word of both', async () => (gone() && verdict() ? true : 'less'));
  // At one revision: nobody ever sees the one without the other.
  expect(verdict()).toMatchObject({ what: 'record', revision: gone()?.revision });
  expect(await watched.record()).toMatchObject({
    ...{ state: 'down', reason: expect.stringContaining('status 500') },
  });

  // It outlives the TTL, since the watchdog lives; and goes with the watchdog.
  const told = watched.changes.length;
  await sleep(6500);
  expect(watched.changes).toHaveLength(told);
  await watchdog.kill();
  await until('no record', async () => (await watched.record()) === undefined || 'a record');
}, 40_000);

test('when a lease runs out, key and record go at one revision', async () => {
  await using one = await world();
  const { watchdog, watched } = one;
  await watchdog.kill();
  await until('two deletions', async () => {
    const gone = watched.changes.filter(({ kind }) => kind === 'delete');
    return gone.length === 2 || `${gone.length}`;
  });
  const gone = watched.changes.filter(({ kind }) => kind === 'delete');
  expect(new Set(gone.map(({ revision }) => revision)).size).toBe(1);
}, 40_000);

test('a record that somebody made unreadable is written again, and said', async () => {
  await using one = await world();
  const { watchdog, watched } = one;
  await watched.putRecord('\u{0}not a record');
  await until('the record again', async () => (await watched.record()) !== undefined || 'rubbish');
  const said = () =>
    watchdog.log.filter(({ msg }) => msg.startsWith('the record beside the key was changed'));
  await until('word of it', async () => said().length > 0 || 'none');
  expect(said()).toMatchObject([{ level: 'warn' }]);
});
