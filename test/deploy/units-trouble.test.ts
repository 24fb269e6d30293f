/**
 * What an operator gets wrong or finds in the way, with the units of containers as they are shipped: no
 * etcd at boot, a file that is missing, a port that is in use, an option that is wrong, a volume that
 * holds something else. Each is told in one clear line, and none of it touches what runs beside it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  apacheUnit,
  balancing,
  bootStack,
  type Stack,
  watchdogUnit,
} from '../../scripts/deploy-machine/stack.ts';

/** A start of docker's client, of a container and of Node in it, each several times on a busy machine. */
const settledWithinMs = 60_000;
/** As long as the hold of its start may take, on top of that. */
const startedWithinMs = settledWithinMs + 30_000;

const ports = [8001, 8002];
const beside = [
  ...['nginx-pod', 'nginx', 'rollcall-balancer', 'etcd'],
  ...ports.flatMap((port) => [`apache-${port}`, `rollcall-watchdog-${port}`]),
];

let stack: Stack;
const owned = new AsyncDisposableStack();

beforeAll(async () => {
  stack = owned.use(await bootStack());
  for (const port of ports) await stack.putWatchdogEnv(port);
  await stack.run('systemctl', 'enable', '--quiet', ...balancing, ...ports.map(apacheUnit));
}, 240_000);
afterAll(() => owned.disposeAsync());

const serves = (...wanted: readonly number[]) =>
  stack.until(`${wanted.join(' and ')} in rotation`, startedWithinMs, async () => {
    const seen = (await stack.serving()).join();
    return seen === wanted.join() || `nginx sends to ${seen || 'nobody'}`;
  });

const running = () => Promise.all(beside.map((name) => stack.container(name)));

const stateOf = async (unit: string) => (await stack.unit(unit))['ActiveState'];

/** What a command that must fail says. */
const refusal = (...command: readonly string[]) =>
  stack.run(...command).then(
    () => expect.fail('it did not fail'),
    (error: Error & { stdout?: string }) => `${error.message}${error.stdout}`,
  );

test('no etcd at boot: all wait, and recover when it is there', { timeout: 300_000 }, async () => {
  await stack.reboot();
  await stack.until('nginx to answer, and both apaches', settledWithinMs, async () => {
    const status = ['-s', '-o', '/dev/null', '-w', '%{http_code}'];
    const codes = await Promise.all(
      ['127.0.0.1', ...ports.map((port) => `172.17.8.101:${port}`)].map((at) =>
        stack.run('curl', ...status, `http://${at}/`).catch(() => 'none'),
      ),
    );
    return codes.join() === '503,200,200' || codes.join();
  });
  expect(await stack.key(8001)).toContain('no answer');
  // No unit gives up, however long it takes: these are still at it when their starts are held no more.
  await stack.until('the starts to be over', startedWithinMs, async () => {
    const states = await Promise.all(ports.map((port) => stateOf(watchdogUnit(port))));
    return states.every((state) => state === 'active') || states.join();
  });
  await stack.run('systemctl', 'enable', '--quiet', '--now', 'etcd');
  await serves(...ports);
});

test('without its file a watchdog fails once, by its name', { timeout: 180_000 }, async () => {
  const before = await running();
  await stack.run('systemctl', 'start', apacheUnit(8003));
  expect(await refusal('systemctl', 'start', watchdogUnit(8003))).toContain('Assertion failed');
  expect(await refusal('systemctl', 'status', watchdogUnit(8003))).toContain(
    'AssertPathExists=/etc/rollcall/watchdog-8003.env was not met',
  );
  expect(await stack.unit(watchdogUnit(8003))).toMatchObject({
    ...{ ActiveState: 'inactive', NRestarts: '0' },
  });
  expect(await stateOf(apacheUnit(8003))).toBe('active');
  expect(await stack.key(8003)).toBe('');

  await stack.putWatchdogEnv(8003);
  await stack.run('systemctl', 'start', watchdogUnit(8003));
  expect(await stack.serving()).toEqual([8001, 8002, 8003]);
  await stack.run('systemctl', 'stop', apacheUnit(8003));
  expect(await running()).toEqual(before);
});

test(
  'a port in use is waited for, and what uses it not registered',
  { timeout: 180_000 },
  async () => {
    const before = await running();
    await stack.putWatchdogEnv(8004);
    const { httpd } = stack.images;
    const published = ['--publish', '172.17.8.101:8004:80'];
    await stack.run('docker', 'run', '--rm', '--detach', '--name', 'other', ...published, httpd);
    await refusal('systemctl', 'start', apacheUnit(8004));
    await stack.until('it to be tried again, twice', settledWithinMs, async () => {
      const { NRestarts } = await stack.unit(apacheUnit(8004));
      return Number(NRestarts) >= 2 || `${NRestarts} times`;
    });
    expect(await stack.journal(apacheUnit(8004))).toContain('port is already allocated');
    expect(await stack.journal(watchdogUnit(8004))).not.toContain('"msg"');
    expect(await stack.key(8004)).toBe('');

    await stack.run('docker', 'rm', '--force', 'other');
    await serves(8001, 8002, 8004);
    await stack.run('systemctl', 'stop', apacheUnit(8004));
    expect(await running()).toEqual(before);
  },
);

test('asked wrongly a watchdog ends, and is not asked again', { timeout: 180_000 }, async () => {
  const before = await running();
  await stack.putWatchdogEnv(8005, 'ROLLCALL_TTL=soon');
  await stack.run('systemctl', 'start', apacheUnit(8005));
  await stack.until('its watchdog to have failed', settledWithinMs, async () => {
    const state = await stateOf(watchdogUnit(8005));
    return state === 'failed' || String(state);
  });
  expect(await stack.unit(watchdogUnit(8005))).toMatchObject({
    ...{ NRestarts: '0', ExecMainStatus: '2' },
  });
  expect(await stack.journal(watchdogUnit(8005))).toContain('ROLLCALL_TTL');
  expect(await stateOf(apacheUnit(8005))).toBe('active');
  await stack.run('systemctl', 'stop', apacheUnit(8005));
  expect(await running()).toEqual(before);
});

test('a volume that holds something else is refused by name', { timeout: 180_000 }, async () => {
  const { httpd } = stack.images;
  const inVolume = (command: string) => {
    const mounted = ['--volume', 'precious:/v', '--entrypoint', 'sh'];
    return stack.run('docker', 'run', '--rm', ...mounted, httpd, '-c', command);
  };
  await inVolume('echo ours >/v/data && chown -R 101:101 /v');
  const file = '/etc/rollcall/host.env';
  const good = await stack.run('cat', file);
  await stack.put(file, `${good}\nNGINX_CONFIG_VOLUME=precious\n`);
  await stack.run('systemctl', 'stop', 'nginx-config-volume');
  await refusal('systemctl', 'start', 'nginx', 'rollcall-balancer');
  const said = await stack.journal('nginx-config-volume');
  expect(said).toContain('volume precious is not used for nginx');
  expect(said).toContain('data');
  expect(await stateOf('nginx')).toBe('inactive');
  expect(await inVolume('ls -A /v')).toBe('data');

  await stack.put(file, `${good}\n`);
  await stack.run('systemctl', 'start', 'nginx', 'rollcall-balancer');
  await serves(...ports);
});
