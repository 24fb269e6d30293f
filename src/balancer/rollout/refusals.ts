/**
 * Generations that nginx did not take, although its check passed. Pure. Each is remembered with the
 * fingerprint of all that nginx was to read, and is not tried again as it is.
 */
export interface Refusal {
  /** Undefined: it could not be told, so it may be another one by now. */
  readonly fingerprint: string | undefined;
  readonly atMs: number;
}

/** By generation. */
export type Refusals = ReadonlyMap<string, Refusal>;

export const noRefusals: Refusals = new Map();

/**
 * What nginx did not take is tried again when anything that it reads has changed; and else only
 * after this long: a port that somebody else has taken stands in no file.
 */
export const unchangedRetryMs = 900_000;

const mostKept = 32;

export const withRefusal = (refusals: Refusals, generation: string, refusal: Refusal): Refusals =>
  new Map([...[...refusals].slice(1 - mostKept), [generation, refusal]]);

/** Is it what nginx did not take, to the letter, and not so long ago? */
export function isRefused(
  refusals: Refusals,
  generation: string,
  fingerprint: string | undefined,
  nowMs: number,
): boolean {
  const refusal = refusals.get(generation);
  return (
    refusal?.fingerprint !== undefined &&
    refusal.fingerprint === fingerprint &&
    nowMs - refusal.atMs < unchangedRetryMs
  );
}
