/**
 * The units of containers, as they are shipped, in a real systemd with an engine of its own: their order,
 * what the end of one does to the others, and that a machine that was rebooted ends in rotation.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startClient } from '../../scripts/deploy-machine/client.ts';
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
const enabled = ['etcd', ...balancing, ...ports.map(apacheUnit)];

let stack: Stack;
const owned = new AsyncDisposableStack();

beforeAll(async () => {
  stack = owned.use(await bootStack());
  for (const port of [...ports, 8003]) await stack.putWatchdogEnv(port);
}, 240_000);
afterAll(() => owned.disposeAsync());

const expectInRotation = async (...wanted: readonly number[]) => {
  await stack.until(`${wanted.join(' and ')} in rotation`, startedWithinMs, async () => {
    const seen = (await stack.serving()).join();
    return seen === wanted.join() || `nginx sends to ${seen || 'nobody'}`;
  });
  expect(await stack.serving()).toEqual(wanted);
};

const containers = async (...names: readonly string[]) => {
  const ids = await Promise.all(names.map((name) => stack.container(name)));
  expect(ids).not.toContain('');
  return ids;
};

/** Since the machine's kernel is up, of a unit's last change of that kind. */
const momentOf = async (unit: string, kind: string) =>
  Number((await stack.unit(unit))[`${kind}TimestampMonotonic`]);

/** What the balancer has told etcd: empty until nginx is proven to serve what stands there. */
const confirmed = () =>
  stack.until('the balancer to confirm', settledWithinMs, async () => {
    const [said = ''] = (await stack.acknowledgements()).filter((line) => line !== '');
    return /"revision":[1-9]/.test(said) || `it says ${said || 'nothing'}`;
  });

const pod = ['nginx-pod', 'nginx', 'rollcall-balancer'];

/** After that command there are other containers of these names, and all is as it was. */
const expectAllAnew = async (names: readonly string[], command: readonly string[]) => {
  const before = await containers(...names);
  await stack.run(...command);
  await stack.until('other containers', settledWithinMs, async () => {
    const now = await Promise.all(names.map((name) => stack.container(name)));
    return now.every((id) => id !== '' && !before.includes(id)) || now.join(' ');
  });
  await expectInRotation(...ports);
  await confirmed();
};

test('systemd-analyze verify has nothing to say', async () => {
  const units = [...enabled, ...ports.map(watchdogUnit)].map((name) =>
    name.endsWith('.service') ? name : `${name}.service`,
  );
  const said = await stack.run('sh', '-c', `systemd-analyze verify ${units.join(' ')} 2>&1`);
  expect(said).toBe('');
});

test('enabled and booted, all of it ends in rotation, in order', { timeout: 300_000 }, async () => {
  await stack.run('systemctl', 'enable', '--quiet', ...enabled);
  await stack.reboot();
  await expectInRotation(...ports);
  for (const [earlier, later] of [
    ...[['docker.service', 'nginx-pod.service'] as const],
    ...[['nginx-config-volume.service', 'nginx.service'] as const],
    ...[['nginx-pod.service', 'nginx.service'] as const],
    ...[['nginx.service', 'rollcall-balancer.service'] as const],
    ...ports.map((port) => [apacheUnit(port), watchdogUnit(port)] as const),
  ]) {
    const [up, begun] = [
      await momentOf(earlier, 'ActiveEnter'),
      await momentOf(later, 'InactiveExit'),
    ];
    expect(up, `${earlier} before ${later}`).toBeLessThanOrEqual(begun);
    expect(up).toBeGreaterThan(0);
  }
});

test('apache@8003 brings its watchdog, and ends in rotation', { timeout: 180_000 }, async () => {
  expect.hasAssertions();
  await stack.run('systemctl', 'start', apacheUnit(8003));
  await expectInRotation(8001, 8002, 8003);
  await stack.until('the start of its watchdog to be over', startedWithinMs, async () => {
    const { ActiveState } = await stack.unit(watchdogUnit(8003));
    return ActiveState === 'active' || String(ActiveState);
  });
});

test('stopped, it is drained before its apache stops', { timeout: 120_000 }, async () => {
  await using client = await startClient(stack);
  await stack.run('systemctl', 'stop', apacheUnit(8003));
  expect(await client.stop()).toMatchObject({ failures: '' });

  expect(await stack.key(8003)).toBe('');
  expect(await stack.journal(watchdogUnit(8003))).toContain('every live balancer has confirmed');
  const drained = await momentOf(watchdogUnit(8003), 'InactiveEnter');
  expect(drained).toBeLessThanOrEqual(await momentOf(apacheUnit(8003), 'ActiveExit'));
  for (const unit of [watchdogUnit(8003), apacheUnit(8003)]) {
    expect(await stack.unit(unit)).toMatchObject({ ActiveState: 'inactive', Result: 'success' });
  }
});

test(
  'started by its watchdog, it is in rotation when that returns',
  { timeout: 180_000 },
  async () => {
    await stack.run('systemctl', 'start', watchdogUnit(8003));
    expect(await stack.serving()).toEqual([8001, 8002, 8003]);
  },
);

test('restarted by both names in turn, no request fails', { timeout: 240_000 }, async () => {
  await using client = await startClient(stack);
  for (const port of [8001, 8002, 8003]) {
    const before = await containers(`apache-${port}`, `rollcall-watchdog-${port}`);
    await stack.run('systemctl', 'restart', apacheUnit(port), watchdogUnit(port));
    const after = await containers(`apache-${port}`, `rollcall-watchdog-${port}`);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    expect(await stack.serving()).toContain(port);
  }
  expect(await client.stop()).toMatchObject({ failures: '' });
  await stack.run('systemctl', 'stop', apacheUnit(8003));
  await expectInRotation(...ports);
});

test('its container killed, the key goes, and both come back', { timeout: 180_000 }, async () => {
  const others = await containers('apache-8002', 'rollcall-watchdog-8002', 'nginx');
  const before = await containers('apache-8001', 'rollcall-watchdog-8001');
  await stack.run('docker', 'kill', 'apache-8001');
  await stack.until('the key to go', 10_000, async () => (await stack.key(8001)) === '' || 'held');
  await expectInRotation(...ports);
  const after = await containers('apache-8001', 'rollcall-watchdog-8001');
  expect(after.filter((id) => before.includes(id))).toEqual([]);
  expect(await containers('apache-8002', 'rollcall-watchdog-8002', 'nginx')).toEqual(others);
});

test("its watchdog's container killed, another keeps the key", { timeout: 180_000 }, async () => {
  const [apache] = await containers('apache-8001');
  const [before] = await containers('rollcall-watchdog-8001');
  const holder = await stack.holder(8001);
  await using client = await startClient(stack);
  await stack.run('docker', 'kill', 'rollcall-watchdog-8001');
  await stack.until('another watchdog to hold the key', settledWithinMs, async () => {
    const now = await stack.holder(8001);
    return (now !== '' && now !== holder && (await stack.key(8001)) !== '') || `held by ${now}`;
  });
  await expectInRotation(...ports);
  expect(await client.stop()).toMatchObject({ failures: '' });
  expect(await containers('apache-8001')).toEqual([apache]);
  expect(await containers('rollcall-watchdog-8001')).not.toEqual([before]);
});

test('the balancer restarted, nginx stays the same', { timeout: 180_000 }, async () => {
  const before = [await containers('nginx', 'nginx-pod'), await stack.pid('nginx')];
  const [balancer] = await containers('rollcall-balancer');
  await using client = await startClient(stack);
  await stack.run('systemctl', 'restart', 'rollcall-balancer');
  await confirmed();
  expect(await client.stop()).toMatchObject({ failures: '' });
  expect([await containers('nginx', 'nginx-pod'), await stack.pid('nginx')]).toEqual(before);
  expect(await containers('rollcall-balancer')).not.toEqual([balancer]);
});

test('nginx restarted, the balancer stays, and confirms', { timeout: 180_000 }, async () => {
  const before = await containers('rollcall-balancer', 'nginx-pod');
  const [nginx] = await containers('nginx');
  await stack.run('systemctl', 'restart', 'nginx');
  await expectInRotation(...ports);
  await confirmed();
  expect(await containers('rollcall-balancer', 'nginx-pod')).toEqual(before);
  expect(await containers('nginx')).not.toEqual([nginx]);
});

test.each([
  ['restarted', ['systemctl', 'restart', 'nginx-pod']],
  ['killed', ['docker', 'kill', 'nginx-pod']],
])('their pod %s, both go and come back', { timeout: 180_000 }, async (_, command) => {
  expect.hasAssertions();
  await expectAllAnew(pod, command);
});

test.each([
  ['restarted', ['systemctl', 'restart', 'docker']],
  ['killed', ['systemctl', 'kill', '--kill-whom=main', '--signal=KILL', 'docker']],
])('the engine %s, all of it comes back', { timeout: 300_000 }, async (_, command) => {
  expect.hasAssertions();
  await expectAllAnew(
    ['etcd', ...pod, ...ports.flatMap((port) => [`apache-${port}`, `rollcall-watchdog-${port}`])],
    command,
  );
});

test('rebooted, and its power cut, it ends in rotation', { timeout: 400_000 }, async () => {
  expect.hasAssertions();
  await stack.reboot();
  await expectInRotation(...ports);
  await stack.cutPower();
  await expectInRotation(...ports);
  await confirmed();
});
