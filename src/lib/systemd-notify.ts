/**
 * Tells systemd how this service does: sd_notify(3), for Type=notify and WatchdogSec=.
 * Without NOTIFY_SOCKET nothing is done.
 *
 * It runs `systemd-notify`, which is there wherever systemd is: Node has no datagram
 * sockets of the Unix kind, and the add-ons that have them are compiled on the machine
 * that installs them. The unit therefore says NotifyAccess=all.
 *
 * No call throws or waits. One `systemd-notify` runs at a time and has a deadline; what
 * becomes due meanwhile goes together with the next, of two states the newer one; what
 * did not arrive goes again. A failure is logged once.
 */
import { type Clock, systemClock } from './clock.ts';
import { messageOf } from './errors.ts';
import { type Log, Notices } from './log.ts';
import { failureOf, type runCommand } from './run-command.ts';

export interface Notifier {
  /** The service does its work from now on. */
  ready(status: string): void;
  /** What `systemctl status` shows, in words; the same words again cost nothing. */
  status(text: string): void;
  /** Called by a loop after each turn that did its work; what systemd asked for is passed on. */
  alive(): void;
  /** Settles when systemd has been told, or could not be, within the deadline of two calls. */
  stopping(): Promise<void>;
  /** How often `alive` must be called at least; undefined: systemd did not ask. */
  readonly everyMs: number | undefined;
}

type Told = 'READY' | 'STATUS' | 'WATCHDOG' | 'STOPPING';

/** systemd-notify waits until systemd has read what it sent. */
const timeoutMs = 2000;
const maxStatusChars = 200;

type Environment = Readonly<Record<string, string | undefined>>;

const silent: Notifier = {
  ready: () => {},
  status: () => {},
  alive: () => {},
  stopping: async () => {},
  everyMs: undefined,
};

export function systemdNotifier(
  environment: Environment,
  run: typeof runCommand,
  log: Log,
  clock: Clock = systemClock,
): Notifier {
  if (!environment['NOTIFY_SOCKET']) {
    return silent;
  }
  const everyMs = watchdogEveryMs(environment);
  const notices = new Notices(log);
  let due = new Map<Told, string>();
  let shown: string | undefined;
  let aliveAtMs = Number.NEGATIVE_INFINITY;
  let sending: Promise<void> | undefined;

  const sendAllDue = async () => {
    while (due.size > 0) {
      const sent = due;
      due = new Map();
      const words = [...sent].map(([name, value]) => `${name}=${value}`);
      const failure = await run(['systemd-notify', ...words], timeoutMs).then(failureOf, messageOf);
      if (failure === undefined) {
        notices.clear('notify', 'systemd is told again how this service does');
        continue;
      }
      notices.tell('notify', 'warn', 'systemd could not be told how this service does', {
        reason: failure,
      });
      // What became due meanwhile is newer. It waits for the next call: at once it would fail again.
      due = new Map([...sent, ...due]);
      return;
    }
  };
  const send = () => {
    sending ??= sendAllDue().finally(() => (sending = undefined));
    return sending;
  };
  const show = (text: string) => {
    const line = oneLine(text);
    if (line === shown) return;
    shown = line;
    due.set('STATUS', line);
  };

  return {
    everyMs,
    ready: (text) => {
      due.set('READY', '1');
      show(text);
      void send();
    },
    status: (text) => {
      show(text);
      void send();
    },
    alive: () => {
      // Twice as often as asked for: a turn that comes just too early is not made up for by the next.
      if (everyMs !== undefined && clock.now() - aliveAtMs >= everyMs / 2) {
        aliveAtMs = clock.now();
        due.set('WATCHDOG', '1');
      }
      void send();
    },
    stopping: async () => {
      // What was due may be what is being sent: the call after it tells the stop.
      due.set('STOPPING', '1');
      await send();
      if (due.has('STOPPING')) await send();
    },
  };
}

/** Half of what the unit allows, as sd_watchdog_enabled(3) recommends. */
function watchdogEveryMs(environment: Environment): number | undefined {
  const { WATCHDOG_USEC: allowedUs = '', WATCHDOG_PID: pid } = environment;
  if (pid !== undefined && pid !== '' && Number(pid) !== process.pid) return undefined;
  return /^[1-9]\d*$/.test(allowedUs) ? Number(allowedUs) / 1000 / 2 : undefined;
}

/** A line break would begin another message to systemd, such as MAINPID=1. */
const oneLine = (text: string) =>
  Array.from(text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim())
    .slice(0, maxStatusChars)
    .join('');
