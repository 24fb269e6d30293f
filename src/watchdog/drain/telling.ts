/** What an operator hears of a drain and of the rotation: each step once, and the end with who is missing. */
import type { Missing } from '../../registry/confirmation.ts';
import { type Log, Notices } from '../../lib/log.ts';
import type { WatchdogObserver, WatchdogStatus } from '../observer.ts';
import type { Drain, DrainEnd } from './drain.ts';
import { missingInWords, stageInWords } from './words.ts';

const endTexts: Readonly<Record<DrainEnd, string>> = {
  confirmed: 'drained: every live balancer has confirmed that nginx sends it nothing new',
  grace: 'drained: no balancer is known, and the grace is over',
  timeout: 'not drained: --drain-timeout is over, and not all have confirmed',
  'not waited for': 'the key is let go, and nobody is waited for',
  'nothing to drain': 'nothing to drain: the key is not ours',
};

export class DrainTeller {
  readonly #log: Log;
  readonly #notices: Notices;
  readonly #observer: Pick<WatchdogObserver, 'onDrained'>;
  #drain: Drain | undefined;

  constructor(log: Log, observer: Pick<WatchdogObserver, 'onDrained'>) {
    this.#log = log;
    this.#notices = new Notices(log);
    this.#observer = observer;
  }

  tell({ drain, isRegistered, servedBy, waitsFor }: WatchdogStatus): void {
    const before = this.#drain;
    this.#drain = drain;
    if (servedBy.length > 0) this.#notices.tell('rotation', 'info', 'in rotation', { servedBy });
    else this.#notices.clear('rotation');
    if (waitsFor.length === 0) this.#notices.clear('waiting');
    else if (isRegistered && !drain) this.#tellWaiting('waiting to be in rotation', waitsFor);
    if (!drain) {
      this.#notices.clear('drain', 'no longer drained: the order is gone');
      return;
    }
    this.#notices.tell('drain', 'info', `draining: ${stageInWords(drain)}`, {
      confirmed: drain.confirmed,
    });
    if (drain.stage.kind === 'waiting' && waitsFor.length > 0) {
      this.#tellWaiting('waiting for balancers', waitsFor);
    }
    if (before?.stage.kind !== 'over') this.end(drain, undefined);
  }

  /** @param nowMs where it is the end of the watchdog too. */
  end(drain: Drain | undefined, nowMs: number | undefined): void {
    if (drain?.stage.kind !== 'over') return;
    const { by, stage, revision, confirmed, stopAtMs } = drain;
    const { end, missing } = stage;
    // Whoever stops ends an order's drain, and begins one of its own.
    this.#observer.onDrained(stopAtMs === undefined ? by : 'shutdown', end);
    const isEnd = nowMs !== undefined && stopAtMs !== undefined;
    const tookMs = isEnd ? Math.round(nowMs - stopAtMs) : undefined;
    const level = end === 'timeout' ? 'warn' : 'info';
    const fields = { by, revision, confirmed, tookMs };
    this.#log[level]({ ...fields, missing: missingInWords(missing) }, endTexts[end]);
  }

  #tellWaiting(text: string, missing: readonly Missing[]): void {
    const words = missingInWords(missing);
    this.#notices.tell('waiting', 'info', `${text}: ${words.join('; ')}`);
  }
}
