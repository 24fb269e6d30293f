/**
 * Held backends are asked directly, each once. A mass expiry of thousands must not run the process
 * out of file descriptors, which would look as if none of them answered: a few are asked at a
 * time, the others are served meanwhile.
 */
import { recordAnswer, type Roster, unaskedOf } from './absence.ts';

const askedAtOnce = 64;

/** Does this backend answer? Must not throw. */
export type Ask = (address: string, signal: AbortSignal) => Promise<boolean>;

interface Answer {
  readonly key: string;
  readonly lostAtMs: number;
  readonly answers: boolean;
}

export class HeldAsker {
  readonly #ask: Ask;
  readonly #onAnswer: () => void;
  readonly #signal: AbortSignal;
  readonly #asked = new Set<string>();
  #answers: Answer[] = [];

  constructor(ask: Ask, onAnswer: () => void, signal: AbortSignal) {
    this.#ask = ask;
    this.#onAnswer = onAnswer;
    this.#signal = signal;
  }

  /** The answers that have come since the last call. */
  takeAnswers(): readonly Answer[] {
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }

  /** Asks those that nobody has asked yet, as far as there is room. */
  askHeld(roster: Roster): void {
    if (roster.absent.size === 0) return;
    for (const { backend, lostAtMs } of unaskedOf(roster)) {
      const { key, address } = backend;
      if (this.#asked.size >= askedAtOnce) return;
      if (this.#asked.has(key)) continue;
      this.#asked.add(key);
      void this.#ask(address, this.#signal).then((answers) => {
        this.#asked.delete(key);
        this.#answers.push({ key, lostAtMs, answers });
        this.#onAnswer();
      });
    }
  }
}

/** It may have come back and gone again since it was asked: then it is asked again. */
export const withAnswers = (roster: Roster, answers: readonly Answer[]): Roster =>
  answers.reduce(
    (folded, { key, lostAtMs, answers: said }) =>
      folded.absent.get(key)?.lostAtMs === lostAtMs ? recordAnswer(folded, key, said) : folded,
    roster,
  );
