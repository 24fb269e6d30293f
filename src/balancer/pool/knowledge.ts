/**
 * What is known of all services, brought up to date once a turn: the copies of etcd, what held
 * backends say when asked, and what was kept on disk for as long as etcd has said nothing.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Service } from '../../options/service.ts';
import type { AbsenceRule } from './absence.ts';
import { type Ask, HeldAsker, withAnswers } from './asking.ts';
import { type Census, fallenBack, foldCensus, type Remembered, unknownCensus } from './census.ts';
import { watchServices, type Watching, type WatchingDeps } from './watching.ts';

export interface KnowledgeDeps extends WatchingDeps {
  readonly services: readonly Service[];
  /** The last good pools, by service; undefined: there is no such memory, or none of a service. */
  readonly remembered: readonly (Remembered | undefined)[] | undefined;
  readonly ask: Ask;
  readonly absence: AbsenceRule;
}

export interface Known {
  readonly censuses: readonly Census[];
  /** When the oldest of the changes arrived that are new in this. */
  readonly arrivedAtMs: number;
}

export class Knowledge implements AsyncDisposable {
  readonly #deps: KnowledgeDeps;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #watching: Watching;
  readonly #asker: HeldAsker;
  readonly #startedAtMs: number;
  #censuses: readonly Census[];

  /** @param onChange called when there is something new to know. */
  constructor(deps: KnowledgeDeps, onChange: () => void, signal: AbortSignal) {
    const { services, remembered, clock, ask } = deps;
    const within = AbortSignal.any([signal, this.#over.signal]);
    this.#deps = deps;
    this.#clock = clock;
    this.#watching = watchServices(services, deps, onChange, within);
    this.#asker = new HeldAsker(ask, onChange, within);
    this.#startedAtMs = clock.now();
    this.#censuses = services.map((service, n) =>
      remembered && remembered[n] === undefined
        ? unknownCensus(service, undefined, 'never')
        : unknownCensus(service, remembered?.[n]),
    );
  }

  update(): Known {
    const { recordPrefix, absence } = this.#deps;
    const nowMs = this.#clock.now();
    const arrivedAtMs = this.#watching.takeArrival() ?? nowMs;
    const answers = this.#asker.takeAnswers();
    this.#censuses = this.#censuses.map((before, n) => {
      const { view, records } = this.#watching.views[n] ?? before;
      const answered = { ...before, roster: withAnswers(before.roster, answers) };
      const census = foldCensus(answered, { view, records, recordPrefix }, nowMs, absence);
      this.#asker.askHeld(census.roster);
      return census;
    });
    const etcdSpeaks = this.#censuses.some(({ source }) => source === 'etcd');
    this.#censuses = this.#censuses.map((census) =>
      fallenBack(census, nowMs - this.#startedAtMs, etcdSpeaks),
    );
    return { censuses: this.#censuses, arrivedAtMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#watching.ended;
  }
}
