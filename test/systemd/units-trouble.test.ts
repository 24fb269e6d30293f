/**
 * What can be wrong with one instance on a host without containers: it stays the trouble of that one.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootHost, journal, node } from './host.ts';

const ports = [8001, 8002];
const host = await bootHost(ports);
afterAll(() => host[Symbol.asyncDispose]());
const { machine, systemctl, shell, keys, fetched, pid, state, until, inRotation } = host;

beforeAll(async () => {
  await systemctl('start', 'etcd', 'nginx', 'rollcall-balancer');
  await systemctl('start', ...ports.map((port) => `apache@${port}`));
  await inRotation(...ports);
});

test('an instance without its environment file fails alone, and says so', async () => {
  const first = await pid('rollcall-watchdog@8001');
  await systemctl('start', 'apache@8003');
  expect(await state('apache@8003')).toBe('active');
  expect(await shell(`${journal} --unit rollcall-watchdog@8003`)).toMatch(/assert/i);
  const status = await shell('systemctl status --no-pager rollcall-watchdog@8003 || true');
  expect(status).toContain('/etc/rollcall/watchdog-8003.env');
  expect(await pid('rollcall-watchdog@8001')).toBe(first);

  await shell('sed s/8001/8003/ /etc/rollcall/watchdog-8001.env >/etc/rollcall/watchdog-8003.env');
  await systemctl('start', 'rollcall-watchdog@8003');
  await inRotation(8003);
  await systemctl('stop', 'apache@8003');
});

test('a port in use: that apache tries on, nobody answers for it, and it recovers', async () => {
  await shell('sed s/8001/8005/ /etc/rollcall/watchdog-8001.env >/etc/rollcall/watchdog-8005.env');
  const squatter = "require('http').createServer((_, answer) => answer.end('me')).listen(8005)";
  await machine.run('systemd-run', '--unit=squatter', node, '-e', squatter);
  await until('it to listen', () => fetched('http://127.0.0.1:8005/'), '200 me');
  await systemctl('start', 'apache@8005').catch(() => {});
  const restarts = async () => Number((await machine.unit('apache@8005'))['NRestarts']) >= 3;
  await until('some tries', restarts, true);
  expect(await shell(`${journal} --unit rollcall-watchdog@8005`)).not.toContain('watching');
  expect(await keys()).toEqual(ports.map((port) => `/test/apache-${port}`));

  await systemctl('stop', 'squatter');
  await inRotation(8005);
  await systemctl('stop', 'apache@8005');
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
