/** What is said of a backend that is drained, put back or waited for. Pure; each is one line. */
import type { Confirmations } from '../registry/confirmation.ts';
import type { DrainOrder } from '../registry/drain-order.ts';
import type { WatchdogRecord } from '../registry/record.ts';
import type { DrainPlan } from './drain-plan.ts';
import type { DrainState } from './drain-state.ts';
import { type Look, unreadIn, watchdogIn } from './look.ts';
import type { RotationState } from './rotation-state.ts';
import type { Scene } from './scene.ts';
import type { UndrainPlan } from './undrain-plan.ts';

/** "since 2026-01-31T12:00:00.000Z by root@web1 (new kernel)" */
function orderWords({ by, at, reason }: DrainOrder): string {
  const since = at === null ? '' : `since ${at} `;
  return `${since}by ${by}${reason === null ? '' : ` (${reason})`}`;
}

const unreadWords = (unread: string) => `the record of its watchdog cannot be read: ${unread}`;

const watchdogWords = ({ host, pid }: WatchdogRecord) => `its watchdog on ${host} (pid ${pid})`;

/** What was ordered, and how to go on. */
export function orderedLines(
  key: string,
  plan: Extract<DrainPlan, { readonly kind: 'write' | 'already' }>,
  { key: stored, record, sameBackend }: Pick<Scene, 'key' | 'record' | 'sameBackend'>,
): readonly [string, ...string[]] {
  const twins = sameBackend.map(
    (twin) => `${twin} has the same address: nginx goes on to send to it until that is drained too`,
  );
  const hint = `rollcall drain ${key} --wait waits for its end; rollcall undrain ${key} takes it back`;
  if (plan.kind === 'already') {
    return [
      `${key}: it is drained already, ${orderWords(plan.order)}: nothing was changed`,
      ...twins,
      hint,
    ];
  }
  const watchdog = watchdogIn(record);
  const what = plan.deletesKey
    ? 'its key, which was put by hand, is deleted'
    : stored === undefined
      ? 'its key is not there, and stays away'
      : watchdog
        ? `${watchdogWords(watchdog)} takes its key away`
        : 'its key goes once the holder of its lease takes it away, or the lease ends';
  return [`${key}: the drain is ordered: ${what}`, ...twins, hint];
}

export function takenBackWords(
  key: string,
  plan: UndrainPlan,
  { record }: Pick<Look, 'record'>,
): string {
  if (plan.kind === 'not drained') return `${key}: it is not drained: nothing was changed`;
  return `${key}: the order is taken back: ${keyWords(plan.key, watchdogIn(record), unreadIn(record))}`;
}

function keyWords(
  after: Extract<UndrainPlan, { readonly kind: 'write' }>['key'],
  watchdog: WatchdogRecord | undefined,
  unread: string | undefined,
): string {
  switch (after) {
    case 'put back':
      return 'its key is put back as it was, by hand';
    case 'there':
      return 'its key is there already, and stays as it is';
    case 'up to its watchdog':
      if (unread !== undefined) return unreadWords(unread);
      return watchdog
        ? `${watchdogWords(watchdog)} puts its key back once it passes`
        : 'no watchdog is known that would put its key back';
    default:
      return after satisfies never;
  }
}

export function refusalWords(
  key: string,
  plan: Exclude<DrainPlan, { readonly kind: 'write' | 'already' }>,
): string {
  switch (plan.kind) {
    case 'unknown': {
      const there =
        plan.nearest.length === 0
          ? 'there is no other backend beside it'
          : `there are ${plan.nearest.join(', ')}`;
      return (
        `${key}: nothing is known of it, neither a key nor a watchdog: ${there}; ` +
        'nothing was changed (--force orders it all the same)'
      );
    }
    case 'last': {
      const others = plan.drained === 0 ? 'there is no other' : 'the others are drained already';
      return (
        `${key} is the last backend of its prefix (${others}): without it nginx answers 503; ` +
        'nothing was changed (--force drains it all the same)'
      );
    }
    case 'irreplaceable':
      return (
        `${key} was put by hand with ${plan.valueBytes} bytes that could not be put back as they are; ` +
        'nothing was changed (--force drains it all the same, and it does not come back)'
      );
    default:
      return plan satisfies never;
  }
}

/** What stands in the way of a drain. */
export function drainPendingWords(
  key: string,
  state: Extract<DrainState, { readonly kind: 'key there' | 'confirming' }>,
): readonly string[] {
  if (state.kind === 'confirming') return confirmationLines(state.by);
  const is = state.again ? 'is there again' : 'is still there';
  return [`${key} ${is}, ${holderWords(key, state)}`];
}

function holderWords(
  key: string,
  {
    key: { leaseId },
    watchdog,
    unread,
  }: Pick<Extract<DrainState, { readonly kind: 'key there' }>, 'key' | 'watchdog' | 'unread'>,
) {
  if (leaseId === '0') return `put by hand, and no watchdog takes it away: etcdctl del ${key} does`;
  if (unread !== undefined) return `held under lease ${leaseId}; ${unreadWords(unread)}`;
  return watchdog
    ? `held by ${watchdogWords(watchdog)}`
    : `held under lease ${leaseId} by somebody who leaves no record`;
}

/** What stands in the way of being in rotation. */
export function rotationPendingWords(
  key: string,
  state: Exclude<RotationState, { readonly kind: 'over' }>,
): readonly string[] {
  switch (state.kind) {
    case 'drained': {
      const comes = state.keyThere ? 'its key is about to go' : 'it does not come by itself';
      return [`${key} is drained ${orderWords(state.order)}: ${comes}; rollcall undrain ${key}`];
    }
    case 'absent':
      return [`${key} is not there: ${absentWords(state)}`];
    case 'no backend':
      return [`${key} is no backend for nginx: ${state.reason}`];
    case 'confirming':
      return confirmationLines(state.by);
    default:
      return state satisfies never;
  }
}

function absentWords({
  watchdog,
  unread,
}: Pick<Extract<RotationState, { readonly kind: 'absent' }>, 'watchdog' | 'unread'>): string {
  if (unread !== undefined) return unreadWords(unread);
  if (!watchdog) return 'no watchdog is known that would put it';
  const { state, reason, drain } = watchdog;
  const why = reason === null ? '' : ` (${reason})`;
  const leaves = drain?.by === 'shutdown' ? ', and is ending' : '';
  return `${watchdogWords(watchdog)} finds it ${state}${why}${leaves}`;
}

const confirmationLines = ({ confirmed, missing }: Confirmations) => [
  ...confirmed.map((who) => `confirmed: ${who}`),
  ...missing.map(({ who, why }) => `not confirmed yet: ${who}: ${why}`),
];

/** "confirmed by 2 balancers: lb1 (pid 7), lb2 (pid 9)" */
export function confirmedWords({ confirmed }: Confirmations): string {
  if (confirmed.length === 0) return 'no balancer is known, so nobody had to confirm it';
  const many = confirmed.length === 1 ? '1 balancer' : `${confirmed.length} balancers`;
  return `confirmed by ${many}: ${confirmed.join(', ')}`;
}
