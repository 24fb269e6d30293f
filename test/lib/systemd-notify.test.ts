/** What is told to systemd, and when; that the real one understands it is shown by its own suite. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { CommandResult } from '../../src/lib/run-command.ts';
import { systemdNotifier } from '../../src/lib/systemd-notify.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const told: CommandResult = { kind: 'exited', status: 0, output: '' };
const refused: CommandResult = { kind: 'exited', status: 1, output: 'No data available' };

const notInstalled = () => Promise.reject(new Error('spawn systemd-notify ENOENT'));

/** A systemd-notify that ends when the test says so, and one that ends at once. */
function notifying(environment: Readonly<Record<string, string>> = {}, atOnce = true) {
  const commands: string[] = [];
  const running: ((result: CommandResult) => void)[] = [];
  const clock = virtualClock();
  const { log, lines } = recordedLog();
  let result = told;
  const run = ([program, ...words]: readonly [string, ...string[]]) => {
    commands.push([program, ...words].join(' '));
    return atOnce
      ? Promise.resolve(result)
      : new Promise<CommandResult>((resolve) => running.push(resolve));
  };
  return {
    notifier: systemdNotifier({ NOTIFY_SOCKET: '/run/x', ...environment }, run, log, clock),
    ...{ commands, clock, lines },
    ends: async (ended: CommandResult = told) => {
      running.shift()?.(ended);
      await nextTurn();
    },
    willEnd: (ended: CommandResult) => (result = ended),
  };
}

test('without systemd nothing is run', async () => {
  const { notifier, commands } = notifying({ NOTIFY_SOCKET: '', WATCHDOG_USEC: '2000000' });
  notifier.ready('up');
  notifier.status('up');
  notifier.alive();
  await notifier.stopping();
  expect(commands).toEqual([]);
  expect(notifier.everyMs).toBeUndefined();
});

test('ready goes with its status, and the same status does not go again', async () => {
  const { notifier, commands } = notifying();
  notifier.ready('up: /test/a is held');
  await nextTurn();
  notifier.status('up: /test/a is held');
  await nextTurn();
  expect(commands).toEqual(['systemd-notify READY=1 STATUS=up: /test/a is held']);
  notifier.status('down: refused');
  await nextTurn();
  expect(commands).toHaveLength(2);
  expect(commands[1]).toBe('systemd-notify STATUS=down: refused');
});

test('one runs at a time; meanwhile the newest status wins, and all goes together', async () => {
  const { notifier, commands, ends } = notifying({ WATCHDOG_USEC: '2000000' }, false);
  notifier.status('one');
  notifier.status('two');
  notifier.status('three');
  notifier.ready('three');
  notifier.alive();
  await nextTurn();
  expect(commands).toEqual(['systemd-notify STATUS=one']);
  await ends();
  expect(commands.slice(1)).toEqual(['systemd-notify STATUS=three READY=1 WATCHDOG=1']);
  await ends();
  expect(commands).toHaveLength(2);
});

test('a status is one line whatever it is made of: it could tell systemd something else', async () => {
  const { notifier, commands } = notifying();
  notifier.status(' down:\nMAINPID=1\r\nSTOPPING=1\u2028\u0000x '.padEnd(500, 'y'));
  await nextTurn();
  expect(commands).toHaveLength(1);
  expect(commands[0]).toMatch(/^systemd-notify STATUS=down: MAINPID=1 STOPPING=1 x y+$/);
  expect(commands[0]).toHaveLength('systemd-notify STATUS='.length + 200);
});

test.each([
  [{ WATCHDOG_USEC: '2000000' }, 1000],
  [{ WATCHDOG_USEC: '2000000', WATCHDOG_PID: String(process.pid) }, 1000],
  [{ WATCHDOG_USEC: '2000000', WATCHDOG_PID: '1' }, undefined],
  [{ WATCHDOG_USEC: '0' }, undefined],
  [{ WATCHDOG_USEC: 'soon' }, undefined],
  [{}, undefined],
])('%j asks for a sign of life each %s ms', async (environment, everyMs) => {
  const { notifier, commands } = notifying(environment);
  expect(notifier.everyMs).toBe(everyMs);
  notifier.alive();
  await nextTurn();
  expect(commands).toEqual(everyMs === undefined ? [] : ['systemd-notify WATCHDOG=1']);
});

test('turns as far apart as allowed, or close together: never too late, and not each time', async () => {
  for (const turnMs of [100, 499, 501, 999, 1000]) {
    const { notifier, commands, clock } = notifying({ WATCHDOG_USEC: '2000000' });
    let [lastMs, count, longestMs] = [0, 0, 0];
    for (let atMs = 0; atMs <= 20_000; atMs += turnMs) {
      notifier.alive();
      await nextTurn();
      if (commands.length > count) {
        longestMs = Math.max(longestMs, atMs - lastMs);
        [lastMs, count] = [atMs, commands.length];
      }
      await clock.advance(turnMs);
    }
    expect(longestMs).toBeLessThan(1500);
    expect(count).toBeLessThanOrEqual(41);
  }
});

test('what did not arrive goes again with the next, and is complained of once', async () => {
  const { notifier, commands, lines, willEnd } = notifying();
  willEnd(refused);
  notifier.ready('up');
  await nextTurn();
  notifier.alive();
  await nextTurn();
  notifier.status('failing');
  await nextTurn();
  willEnd(told);
  notifier.alive();
  await nextTurn();
  notifier.alive();
  await nextTurn();
  expect(commands).toEqual([
    ...['systemd-notify READY=1 STATUS=up', 'systemd-notify READY=1 STATUS=up'],
    ...['systemd-notify READY=1 STATUS=failing', 'systemd-notify READY=1 STATUS=failing'],
  ]);
  expect(lines.filter((line) => !line.startsWith('debug'))).toEqual([
    'warn systemd could not be told how this service does',
    'info systemd is told again how this service does',
  ]);
});

test('a systemd-notify that cannot be run is a reason, not an exception', async () => {
  const { log, lines } = recordedLog();
  const notifier = systemdNotifier({ NOTIFY_SOCKET: '/run/x' }, notInstalled, log);
  notifier.ready('up');
  await notifier.stopping();
  expect(lines[0]).toBe('warn systemd could not be told how this service does');
});

test('stopping waits until it is told, after what is under way, and tries again after a failure', async () => {
  for (const first of [told, refused]) {
    const { notifier, commands, ends } = notifying({}, false);
    notifier.status('up');
    let isTold = false;
    const stopping = notifier.stopping().then(() => (isTold = true));
    await ends(first);
    expect(commands).toHaveLength(2);
    expect(commands[1]).toContain('STOPPING=1');
    expect(isTold).toBe(false);
    await ends();
    await stopping;
  }
});

test('stopping ends although systemd cannot be told', async () => {
  const { notifier, commands, willEnd } = notifying();
  willEnd({ kind: 'timed out', timeoutMs: 2000, output: '' });
  await notifier.stopping();
  expect(commands).toHaveLength(2);
});
