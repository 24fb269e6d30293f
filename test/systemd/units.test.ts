/**
 * The units for a host without containers, on a real systemd: each boxed in, and doing together what they
 * are for.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { bootMachine, checkoutPath, type Machine } from '../../scripts/systemd/machine.ts';
import { hostFiles } from './host-units.ts';

const ports = [8001, 8002];
/** TTLs, restarts after a second, a start of Node, and a machine with other work. */
const settledWithinMs = 45_000;

let machine: Machine;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const environment = await readFile('units/env/watchdog.env', 'utf8');
  const envFiles = ports.map((port) => [
    `/etc/rollcall/watchdog-${port}.env`,
    environment
      .replaceAll('8001', String(port))
      .replace('ROLLCALL_ADDRESS=', 'ROLLCALL_ADDRESS=127.0.0.1'),
  ]);
  machine = stack.use(
    await bootMachine({
      ...(await hostFiles()),
      ...(Object.fromEntries(envFiles) as Record<string, string>),
      '/etc/rollcall/balancer.env': await readFile('units/env/balancer.env', 'utf8'),
      '/etc/nginx/nginx.conf': await readFile('/etc/nginx/nginx.conf', 'utf8'),
      '/etc/nginx/mime.types': await readFile('/etc/nginx/mime.types', 'utf8'),
      '/etc/mime.types': 'text/html html\n',
    }),
  );
  await machine.run('systemd-sysusers');
});
afterAll(() => stack.disposeAsync());

const systemctl = (...words: readonly string[]) => machine.run('systemctl', ...words);
const shell = (command: string) => machine.run('sh', '-c', command);
const keys = async () =>
  (await shell('ETCDCTL_API=3 etcdctl get --prefix --keys-only /test/').catch(() => 'no etcd'))
    .split('\n')
    .filter(Boolean);
const node = `${checkoutPath}/node_modules/.bin/node`;
const fetched = (url: string) =>
  machine
    .run(
      node,
      '-e',
      `fetch('${url}').then(async (a) => console.log(a.status, await a.text()), () => console.log('none'))`,
    )
    .catch(String);
const at = async (name: string, what: string) => Number((await machine.unit(name))[what]);
const pid = async (name: string) => (await machine.unit(name))['MainPID'];
const state = async (name: string) => (await machine.unit(name))['ActiveState'];

async function until(expected: string, seen: () => Promise<unknown>, wanted: unknown) {
  await waitUntil({ expected, withinMs: settledWithinMs, everyMs: 200 }, async () => {
    const now = JSON.stringify(await seen());
    if (now === JSON.stringify(wanted)) return true;
    const log = await shell('journalctl --no-pager --output=cat --lines=8').catch(String);
    return `${now}\n${log}`;
  });
}
const inRotation = (...of: readonly number[]) =>
  until(
    `${of.join(' and ')} in rotation`,
    async () => {
      const words = ['--in-rotation', '--timeout', '5s'];
      const waits = of.map((port) =>
        machine.run(node, `${checkoutPath}/dist/cli.js`, 'wait', `/test/apache-${port}`, ...words),
      );
      return (await Promise.allSettled(waits)).map(({ status }) => status);
    },
    of.map(() => 'fulfilled'),
  );

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
  const log = await shell('journalctl --no-pager --output=cat --unit rollcall-watchdog@8002');
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

test('an instance without its environment file fails alone, and says so', async () => {
  const first = (await machine.unit('rollcall-watchdog@8001'))['MainPID'];
  await systemctl('start', 'apache@8003');
  expect(await state('apache@8003')).toBe('active');
  await until(
    'the reason in the journal',
    async () =>
      (await shell('journalctl --no-pager --output=cat --unit rollcall-watchdog@8003')).includes(
        'Failed to load environment files',
      ),
    true,
  );
  expect((await machine.unit('rollcall-watchdog@8001'))['MainPID']).toBe(first);
  await systemctl('stop', 'apache@8003');
});

test('a wrong option ends the instance for good, with status 2', async () => {
  await shell(
    `sed 's/8001/8004/; s/^#ROLLCALL_TTL=.*/ROLLCALL_TTL=5/' /etc/rollcall/watchdog-8001.env > /etc/rollcall/watchdog-8004.env`,
  );
  await systemctl('start', 'apache@8004');
  await until('it to have failed', () => state('rollcall-watchdog@8004'), 'failed');
  expect(await machine.unit('rollcall-watchdog@8004')).toMatchObject({
    ExecMainStatus: '2',
    NRestarts: '0',
  });
  await systemctl('stop', 'apache@8004');
});
