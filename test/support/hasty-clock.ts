/** A clock that sleeps for a part of the time only: for loops whose pauses a test need not wait for. */
import { type Clock, systemClock } from '../../src/lib/clock.ts';

export const haste = 4;

export const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / haste, signal),
};
