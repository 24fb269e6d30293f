/** What is waited for when a backend is drained: of the watchdog that stops, and of `rollcall drain`. */
import { drainUntils } from '../registry/confirmation.ts';
import { option } from './option.ts';
import { choice, count } from './values.ts';

export const drainUntil = option({
  placeholder: 'WHAT',
  help:
    'when a drain is over: confirmed (no nginx sends it new requests) or finished (and those begun ' +
    'before have ended: no older generation of nginx lives)',
  default: 'confirmed',
  parse: choice(...drainUntils),
});

/** @param leastByDefault how many balancers there must be. */
export const balancers = (leastByDefault: number) =>
  option({
    placeholder: 'COUNT',
    help: 'there are at least so many balancers: with fewer alive, nothing counts as confirmed by all',
    default: String(leastByDefault),
    parse: count(0, 1000),
  });
