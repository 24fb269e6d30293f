/**
 * What `rollcall seed` makes of a directory, from the names in it alone. Pure. It fills what is
 * empty, or was left half filled by itself; what nginx could start on stays as it is; anything
 * else is not its own.
 */

export type SeedPlan =
  /** These are to be copied, in this order: whoever sees the last has all. */
  | { readonly kind: 'fill'; readonly missing: readonly string[] }
  | { readonly kind: 'keep' }
  /** It holds these, of which nginx knows nothing. */
  | { readonly kind: 'refuse'; readonly foreign: readonly string[] };

/** Begins the name of what is being copied. */
export const copyPrefix = '.rollcall-seed-';

const configuration = 'nginx.conf';
/** Where these are, somebody has begun a configuration of nginx. */
const telling = ['mime.types', 'conf.d'];

/**
 * A balancer's lock, saved pool and kept files, and a copy of ours that did not end. They are of the
 * directory that they are in: the pool of another would be taken for one's own.
 */
const isOurs = (name: string) =>
  name.startsWith(copyPrefix) || /^\..+\.rollcall-|\.before-rollcall$/.test(name);

const isNobodys = (name: string) => name === 'lost+found' || isOurs(name);

/** @param names in the directory. @param source those in the directory to copy from. */
export function planSeed(names: readonly string[], source: readonly string[]): SeedPlan {
  if (names.includes(configuration)) return { kind: 'keep' };
  const foreign = names.filter((name) => !source.includes(name) && !isNobodys(name));
  if (foreign.length === 0) {
    const missing = source.filter((name) => !names.includes(name) && !isNobodys(name));
    const isLast = (name: string) => Number(name === configuration);
    return { kind: 'fill', missing: missing.toSorted((a, b) => isLast(a) - isLast(b)) };
  }
  return names.some((name) => telling.includes(name))
    ? { kind: 'keep' }
    : { kind: 'refuse', foreign };
}
