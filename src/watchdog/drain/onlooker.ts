/**
 * Looks at the key and at what the balancers acknowledge, for as long as somebody waits for them:
 * at a start until all of them serve the key, at a drain until none does. Each look is one
 * linearizable read at one revision, at every change and at least once a second; what is concluded
 * rests on the looks alone. At steady state nobody waits, and nothing is read.
 */
import { type Backoff, backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { Wakeup } from '../../lib/wakeup.ts';
import { follow } from '../../registry/follow.ts';
import type { LeaseStore, Moment } from '../../registry/store.ts';
import { readWithBalancers } from '../../registry/with-balancers.ts';

export interface OnlookerDeps {
  readonly store: Pick<LeaseStore, 'readMoment' | 'watchPlaces'>;
  readonly key: string;
  /** Below it lie the acknowledgements of the balancers of this key's prefix. */
  readonly acknowledgements: string;
  readonly clock: Clock;
  readonly random: () => number;
}

const lookEveryMs = 1000;
const betweenFailures: Backoff = { firstMs: 200, maxMs: 2000 };

export class Onlooker {
  readonly #deps: OnlookerDeps;
  readonly #bell = new Wakeup();
  #running: AbortController | undefined;
  /** The last look; undefined: none since looking began, or since the last one that failed. */
  moment: Moment | undefined;
  /** Why there was no look at the last try. */
  trouble: string | undefined;

  constructor(deps: OnlookerDeps) {
    this.#deps = deps;
  }

  /** Level-triggered: begins or ends the looking. @param ring called after each look; must not throw. */
  look(isWanted: boolean, ring: () => void, signal: AbortSignal): void {
    if (!isWanted) {
      this.#running?.abort();
      this.#running = undefined;
      // Whoever waits next is not to conclude anything from what was.
      this.moment = undefined;
      this.trouble = undefined;
      return;
    }
    if (this.#running) return;
    this.#running = new AbortController();
    void this.#run(ring, AbortSignal.any([signal, this.#running.signal]));
  }

  /** What was seen no longer tells anything: the next look is due now. */
  lookAnew(): void {
    this.moment = undefined;
    this.#bell.ring();
  }

  async #run(ring: () => void, within: AbortSignal): Promise<void> {
    const { store, key, acknowledgements, clock, random } = this.#deps;
    const onChange = () => this.#bell.ring();
    void follow([{ below: acknowledgements }], { store, clock, random, onChange }, within);
    let failures = 0;
    while (!within.aborted) {
      try {
        const moment = await readWithBalancers(store, [key], acknowledgements, within);
        if (within.aborted) return;
        this.moment = moment;
        this.trouble = undefined;
        failures = 0;
      } catch (error) {
        if (within.aborted) return;
        failures += 1;
        this.moment = undefined;
        this.trouble = messageOf(error);
      }
      ring();
      if (failures === 0) await this.#bell.wait(lookEveryMs, clock, within);
      else await clock.sleep(backoffMs(failures, betweenFailures, random), within);
    }
  }
}
