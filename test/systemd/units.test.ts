/**
 * The units for a host without containers, on a real systemd, doing together what they are for.
 */
import { afterAll, expect, test } from 'vitest';
import { bootHost, journal } from './host.ts';

const ports = [8001, 8002];
const host = await bootHost(ports);
afterAll(() => host[Symbol.asyncDispose]());
const { machine, systemctl, shell, keys, fetched, at, pid, state, until, inRotation } = host;

test('without etcd all of it waits: nginx answers 503, nothing has failed for good', async () => {
  await systemctl('start', 'nginx', 'rollcall-balancer', ...ports.map((port) => `apache@${port}`));
  await until(
    '503 from nginx',
    () => fetched('http://127.0.0.1/').then((text) => text.slice(0, 3)),
    '503',
  );
  expect(await state('rollcall-balancer')).toBe('active');
  expect((await machine.unit('rollcall-balancer'))['StatusText']).toMatch(/^not confirmed: /);
  for (const port of ports) expect(await state(`apache@${port}`)).toBe('active');
});

test('with etcd it recovers without a hand, and each apache has brought its watchdog', async () => {
  await systemctl('start', 'etcd');
  await inRotation(...ports);
  expect(await keys()).toEqual(ports.map((port) => `/test/apache-${port}`));
  await until('apache by nginx', () => fetched('http://127.0.0.1/'), '200 apache');
  await until(
    'the balancer to say so',
    async () =>
      /^nginx serves generation \w+, 2 backends$/.test(
        (await machine.unit('rollcall-balancer'))['StatusText'] ?? '',
      ),
    true,
  );
});

test('nobody is root', async () => {
  const services = ['etcd', 'nginx', 'rollcall-balancer', 'apache@8001', 'rollcall-watchdog@8001'];
  for (const name of services) {
    expect(`${name}: ${await shell(`stat -c %u /proc/${await pid(name)}`)}`).not.toBe(`${name}: 0`);
  }
});

test('a restart of the balancer leaves nginx alone, and one of nginx the balancer', async () => {
  const [nginx, balancer] = [await pid('nginx'), await pid('rollcall-balancer')];
  await systemctl('restart', 'rollcall-balancer');
  expect(await pid('nginx')).toBe(nginx);
  const restarted = await pid('rollcall-balancer');
  expect(restarted).not.toBe(balancer);
  await systemctl('kill', '--signal=KILL', 'rollcall-balancer');
  await until('it to be back', () => state('rollcall-balancer'), 'active');
  expect(await pid('nginx')).toBe(nginx);

  const third = await pid('rollcall-balancer');
  await systemctl('restart', 'nginx');
  expect(await pid('rollcall-balancer')).toBe(third);
  await until(
    'its generation to be confirmed again',
    async () => (await machine.unit('rollcall-balancer'))['StatusText']?.startsWith('nginx serves'),
    true,
  );
});

test('a balancer that hangs is started anew, one that works is not, and nginx goes on', async () => {
  await shell(
    'mkdir -p /run/systemd/system/rollcall-balancer.service.d && ' +
      "printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/rollcall-balancer.service.d/soon.conf",
  );
  await systemctl('daemon-reload');
  await systemctl('restart', 'rollcall-balancer');
  const [nginx, balancer] = [await pid('nginx'), await pid('rollcall-balancer')];
  await new Promise((resolve) => setTimeout(resolve, 5000));
  expect(await machine.unit('rollcall-balancer')).toMatchObject({
    MainPID: balancer,
    NRestarts: '0',
  });

  await systemctl('kill', '--kill-who=main', '--signal=STOP', 'rollcall-balancer');
  await until(
    'it to be restarted',
    async () => (await machine.unit('rollcall-balancer'))['NRestarts'],
    '1',
  );
  await until('it to be active', () => state('rollcall-balancer'), 'active');
  expect(await pid('nginx')).toBe(nginx);
});

test('stopping an apache drains first: its watchdog has ended before it is asked to', async () => {
  await systemctl('stop', 'apache@8002');
  expect(await state('rollcall-watchdog@8002')).toBe('inactive');
  expect(await keys()).toEqual(['/test/apache-8001']);
  const drained = await at('rollcall-watchdog@8002', 'InactiveEnterTimestampMonotonic');
  expect(await at('apache@8002', 'ActiveExitTimestampMonotonic')).toBeGreaterThanOrEqual(drained);
  const log = await shell(`${journal} --unit rollcall-watchdog@8002`);
  expect(log).toContain('every live balancer has confirmed');
  await systemctl('start', 'apache@8002');
  await inRotation(8002);
});

test('an apache that is killed takes its watchdog with it, and both come back', async () => {
  const before = (await machine.unit('rollcall-watchdog@8002'))['MainPID'];
  await systemctl('kill', '--signal=KILL', 'apache@8002');
  await until(
    'another watchdog',
    async () =>
      ![before, '0'].includes((await machine.unit('rollcall-watchdog@8002'))['MainPID'] ?? '0'),
    true,
  );
  await inRotation(8002);
  expect(await state('apache@8001')).toBe('active');
});
