/**
 * Looks at one backend until what is waited for is so: at each change that etcd tells of, and every
 * second without. It says what stands in the way whenever that changes. A call to etcd that fails is
 * told once and tried again.
 */
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { Wakeup } from '../lib/wakeup.ts';
import { follow } from '../registry/follow.ts';
import type { Guard, LeaseStore, Write } from '../registry/store.ts';
import { type Look, lookAt, type Places, placesSeen } from './look.ts';

export type Step =
  | { readonly kind: 'done'; readonly words: string }
  /** It can never be so. */
  | { readonly kind: 'failed'; readonly words: string }
  /** What stands in the way. */
  | { readonly kind: 'pending'; readonly lines: readonly string[] }
  | {
      readonly kind: 'write';
      readonly guards: readonly Guard[];
      readonly writes: readonly Write[];
      /** With the revision at which it was written. */
      readonly onWritten: (revision: number) => void;
    };

export type Waited =
  | { readonly kind: 'done' | 'failed'; readonly words: string }
  /** The time was up, with this in the way. */
  | { readonly kind: 'late'; readonly lines: readonly string[] }
  | { readonly kind: 'stopped' };

export interface WaitDeps {
  readonly store: Pick<LeaseStore, 'readMoment' | 'change' | 'watchPlaces'>;
  readonly places: Places;
  readonly judge: (look: Look) => Step;
  readonly say: (line: string) => void;
  readonly clock: Clock;
  readonly random: () => number;
}

const lookEveryMs = 1000;

export async function waitFor(
  deps: WaitDeps,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Waited> {
  const bell = new Wakeup();
  const ended = new AbortController();
  const { store, clock, random, places } = deps;
  void follow(
    placesSeen(places),
    { store, clock, random, onChange: () => bell.ring() },
    AbortSignal.any([signal, ended.signal]),
  );
  try {
    return await lookAgainAndAgain(deps, { bell, untilMs: clock.now() + timeoutMs }, signal);
  } finally {
    ended.abort(new Error('the wait is over'));
  }
}

async function lookAgainAndAgain(
  deps: WaitDeps,
  { bell, untilMs }: { readonly bell: Wakeup; readonly untilMs: number },
  signal: AbortSignal,
): Promise<Waited> {
  const { clock, say } = deps;
  let said: readonly string[] = [];
  for (;;) {
    const step = await turn(deps, signal);
    if (step.kind === 'done' || step.kind === 'failed') return step;
    if (signal.aborted) return { kind: 'stopped' };
    const leftMs = untilMs - clock.now();
    // What was just written is looked at at once, and so is what has changed under it.
    if (step.kind === 'write' && leftMs > 0) continue;
    const lines = step.kind === 'pending' ? step.lines : said;
    for (const line of lines) if (!said.includes(line)) say(line);
    said = lines;
    if (leftMs <= 0) return { kind: 'late', lines };
    await bell.wait(Math.min(lookEveryMs, leftMs), clock, signal);
  }
}

async function turn({ store, places, judge }: WaitDeps, signal: AbortSignal): Promise<Step> {
  try {
    const step = judge(await lookAt(store, places, signal));
    if (step.kind === 'write') {
      const revision = await store.change(step.guards, step.writes, signal);
      if (revision !== undefined) step.onWritten(revision);
    }
    return step;
  } catch (error) {
    return { kind: 'pending', lines: [`etcd does not answer as it should: ${messageOf(error)}`] };
  }
}
