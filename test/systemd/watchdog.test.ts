/**
 * The compiled watchdog as a service of a real systemd, by the unit that is shipped: active only
 * once the key is held, its state in words, restarted when it hangs, its key gone when it is stopped.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apacheConf } from '../../scripts/parts/apache-conf.ts';
import { findProgram } from '../../scripts/parts/find-program.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { bootMachine, type Machine } from '../../scripts/systemd/machine.ts';
import { checkoutPath } from '../../scripts/systemd/machine-image.ts';

const key = '/test/apache-8001';
const unit = 'rollcall-watchdog@8001.service';
const failFlag = '/srv/apache/answer-500';
const log = '/run/watchdog.log';

/** WatchdogSec, RestartSec, a start of Node and a claim of the key, and a stall of the machine. */
const restartedWithinMs = 2000 + 1000 + 20_000;
const settledWithinMs = 20_000;

const service = (command: string) =>
  `[Service]\nExecStart=${command}\nStandardOutput=null\nStandardError=null\n`;

let machine: Machine;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const apache = findProgram('apache2', 'httpd');
  const shipped = await readFile('units/host/rollcall-watchdog@.service', 'utf8');
  machine = stack.use(
    await bootMachine({
      '/etc/sysusers.d/rollcall.conf': await readFile('units/host/rollcall.sysusers', 'utf8'),
      '/etc/systemd/system/etcd.service': service(`${findProgram('etcd')} --data-dir /run/etcd`),
      '/etc/systemd/system/apache@.service': service(
        `${apache} -d /srv/apache -f /srv/apache/apache.conf -DFOREGROUND`,
      ),
      '/srv/apache/apache.conf': apacheConf({
        ...{ home: '/srv/apache', address: '127.0.0.1:8001', failFlag },
      }),
      '/srv/apache/pages/index.html': 'apache',
      '/etc/systemd/system/rollcall-watchdog@.service': shipped,
      '/etc/systemd/system/rollcall-watchdog@.service.d/test.conf': [
        ...['[Service]', 'WatchdogSec=2', `StandardError=append:${log}`, 'ExecStart='],
        `ExecStart=${checkoutPath}/node_modules/.bin/node ${checkoutPath}/dist/cli.js watchdog`,
      ].join('\n'),
      '/etc/rollcall/watchdog-8001.env': [
        ...[
          `ROLLCALL_KEY=${key}`,
          'ROLLCALL_ADDRESS=:8001',
          'ROLLCALL_TTL=5s',
          'ROLLCALL_START_GRACE=0s',
        ],
      ].join('\n'),
    }),
  );
  await machine.run('systemd-sysusers');
  await machine.run('systemctl', 'start', 'etcd', 'apache@8001');
  await until('etcd to answer', async () => (await valueOfKey()) === '');
});
afterAll(() => stack.disposeAsync());

const valueOfKey = () =>
  machine
    .run('env', 'ETCDCTL_API=3', 'etcdctl', 'get', '--print-value-only', key)
    .catch((error: unknown) => `no answer: ${String(error)}`);

/** What stands in the way of it is told with the last words of the watchdog. */
const until = (expected: string, holds: () => Promise<boolean>, withinMs = settledWithinMs) =>
  waitUntil({ expected, withinMs, everyMs: 100 }, async () => {
    if (await holds()) return true;
    const { ActiveState, SubState, StatusText, Result } = await machine.unit(unit);
    const words = await machine.run('tail', '-n', '5', log).catch(() => 'no log');
    return `${ActiveState} (${SubState}), ${Result}, "${StatusText}", ${await valueOfKey()}\n${words}`;
  });

const is = async (name: string, value: string) => (await machine.unit(unit))[name] === value;
const says = async (words: RegExp) => words.test((await machine.unit(unit))['StatusText'] ?? '');

test('while its apache fails it is starting; it is active only with its key in etcd', async () => {
  await machine.run('touch', failFlag);
  await machine.run('systemctl', 'start', '--no-block', unit);
  await until('it to say that it is down', () => says(/down.*status 500/));
  expect(await machine.unit(unit)).toMatchObject({ ActiveState: 'activating', NRestarts: '0' });
  expect(await valueOfKey()).toBe('');

  await machine.run('rm', failFlag);
  await until('it to be active', () => is('ActiveState', 'active'));
  expect(await valueOfKey()).toBe('127.0.0.1:8001');
});

test('systemctl status shows in words what it sees', async () => {
  await until('it to say that it is up', () => says(/up/));
  expect(await machine.run('systemctl', 'status', '--no-pager', unit)).toMatch(/Status: ".*up.*"/);
  await machine.run('touch', failFlag);
  await until('it to say why it is down', () => says(/down.*status 500/));
  expect(await machine.unit(unit)).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
  await machine.run('rm', failFlag);
  await until('it to say that it is up again', () => says(/up/));
});

test('alive for much longer than WatchdogSec it is not restarted; frozen, it is', async () => {
  const { MainPID: pid } = await machine.unit(unit);
  await new Promise((resolve) => setTimeout(resolve, 6000));
  expect(await machine.unit(unit)).toMatchObject({ MainPID: pid, NRestarts: '0' });

  await machine.run('systemctl', 'kill', '--kill-who=main', '--signal=STOP', unit);
  await until('it to be restarted', () => is('NRestarts', '1'), restartedWithinMs);
  await until('it to be active again', () => is('ActiveState', 'active'), restartedWithinMs);
  const after = await machine.unit(unit);
  expect(after['MainPID']).not.toBe(pid);
  expect(await valueOfKey()).toBe('127.0.0.1:8001');
});

test('stopped, it has ended well and its key is gone at once', async () => {
  await machine.run('systemctl', 'stop', unit);
  expect(await valueOfKey()).toBe('');
  expect(await machine.unit(unit)).toMatchObject({ ActiveState: 'inactive', Result: 'success' });
});
