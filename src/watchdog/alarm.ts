/**
 * What a closed idle connection is worth. Pure. When apache dies, the connection of the
 * last probe closes within milliseconds; but apache also closes idle connections that it
 * is tired of, and a probe for each of those would be a storm. So each alarm that a
 * passing probe proves needless mutes the next ones for twice as long, from two intervals
 * up to a minute; one connection that outlives its pause ends the muting. Muted or not,
 * the probe at the end of the pause is never put off.
 */
export interface Alarm {
  /** A close asks for a probe at once, and none has passed since. */
  readonly raised: boolean;
  /** Alarms in a row that turned out to be needless. */
  readonly needless: number;
  readonly mutedUntilMs: number;
  /** The connection of the last pass is known to be closed. */
  readonly closed: boolean;
}

export const quiet: Alarm = {
  raised: false,
  needless: 0,
  mutedUntilMs: Number.NEGATIVE_INFINITY,
  closed: false,
};

const longestMuteMs = 60_000;

/** The other side closed the idle connection. */
export const onIdleClose = (alarm: Alarm, nowMs: number): Alarm => ({
  ...alarm,
  closed: true,
  raised: alarm.raised || nowMs >= alarm.mutedUntilMs,
});

/** A probe passed: whoever closed the connection, it was not a death. */
export function onPass(alarm: Alarm, nowMs: number, intervalMs: number): Alarm {
  if (alarm.raised) {
    const needless = alarm.needless + 1;
    const muteMs = Math.min(longestMuteMs, intervalMs * 2 ** Math.min(needless, 20));
    return { raised: false, needless, mutedUntilMs: nowMs + muteMs, closed: false };
  }
  return alarm.closed ? { ...alarm, closed: false } : quiet;
}
