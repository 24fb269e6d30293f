/** What can happen to an etcd and to the way there, as values: sequences of it come from a seed. */
import * as fc from 'fast-check';

export type Step =
  /** All at one revision; undefined: a deletion. */
  | { readonly kind: 'write'; readonly puts: Readonly<Record<string, boolean>> }
  | { readonly kind: 'burst'; readonly writes: readonly (readonly [name: string, put: boolean])[] }
  | { readonly kind: 'elsewhere'; readonly writes: number }
  | { readonly kind: 'compact' }
  | { readonly kind: 'pause'; readonly ms: number }
  /** Connections end; with `created`, those of the next session as soon as its watch is confirmed. */
  | { readonly kind: 'reset'; readonly created: boolean }
  /** The next listing beside a watch is held back for so long, while the next steps are made. */
  | { readonly kind: 'late listing'; readonly ms: number }
  /** From here on for so long, while the next steps are made. */
  | { readonly kind: 'stall'; readonly ms: number }
  | { readonly kind: 'black hole'; readonly ms: number }
  | { readonly kind: 'freeze'; readonly ms: number }
  | { readonly kind: 'restart' }
  | Wipe;

export interface Wipe {
  readonly kind: 'wipe';
  /** Names that are written again, and names that are new. */
  readonly again: readonly string[];
  readonly past: boolean;
  /** The mirror sees nothing of it before it is over. */
  readonly unseen: boolean;
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const ms = (max: number) => fc.integer({ min: 20, max });

const anyStep = (isLossy: boolean): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('write'),
        puts: fc.dictionary(name, fc.boolean(), { minKeys: 1, maxKeys: 4 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('burst'),
        writes: fc.array(fc.tuple(name, fc.boolean()), { minLength: 8, maxLength: 24 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('elsewhere'),
        writes: fc.integer({ min: 1, max: 20 }),
      }),
    },
    { weight: 2, arbitrary: fc.constant<Step>({ kind: 'compact' }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pause'), ms: ms(300) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('reset'), created: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('late listing'), ms: ms(200) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('stall'), ms: ms(600) }) },
    {
      weight: isLossy ? 3 : 0,
      arbitrary: fc.record({ kind: fc.constant('black hole'), ms: ms(1500) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('freeze'), ms: ms(900) }) },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'restart' }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('wipe'),
        again: fc.uniqueArray(name, { maxLength: 5 }),
        past: fc.boolean(),
        unseen: isLossy ? fc.boolean() : fc.constant(false),
      }),
    },
  );

/** The same for the same seed. @param isLossy whether bytes may be lost on connections that stay. */
export const roundsOf = (
  seed: number,
  rounds: number,
  isLossy: boolean,
): readonly (readonly Step[])[] =>
  fc.sample(fc.array(anyStep(isLossy), { minLength: 6, maxLength: 14, size: 'max' }), {
    seed,
    numRuns: rounds,
  });
