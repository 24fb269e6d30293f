/** What came of asking etcd to agree with the judgement, and how an operator is told of it. */
import type { Notices } from '../../lib/log.ts';
import type { Because, Holder } from './claim.ts';

export type Outcome =
  | { readonly kind: 'held' }
  | { readonly kind: 'written'; readonly because: Because }
  | { readonly kind: 'record repaired' }
  /** Another watchdog holds the key; its lease has that much left, in whole seconds. */
  | {
      readonly kind: 'taken';
      readonly by: Holder;
      readonly sameValue: boolean;
      readonly remainingMs: number;
    }
  /** Somebody changed the key by hand, and it is left so. */
  | { readonly kind: 'respected'; readonly because: Because }
  /** An operator wants the backend drained: nothing was written. */
  | { readonly kind: 'ordered out' }
  | { readonly kind: 'removed' }
  | { readonly kind: 'absent' };

/** Does etcd hold the key for us? */
export const isHeld = ({ kind }: Outcome) =>
  kind === 'held' || kind === 'written' || kind === 'record repaired';

/** The registration in a few words, for the status. */
export function inWords(outcome: Outcome, state: string): string {
  switch (outcome.kind) {
    case 'taken':
      return `held by ${whoHolds(outcome.by)}, as ${outcome.by.value}`;
    case 'respected':
      return `not held: ${outcome.because}, and left so until the next start`;
    case 'ordered out':
      return 'to be drained';
    case 'removed':
    case 'absent':
      return `not held: ${state}`;
    case 'held':
    case 'written':
    case 'record repaired':
      return 'held';
    default:
      return outcome satisfies never;
  }
}

/** A repair or a conflict is news each time or once; an outcome that only lasts is none. */
export function tell(outcome: Outcome, notices: Notices): void {
  if (outcome.kind !== 'taken') {
    notices.clear('claim', 'the other watchdog has let the key go');
  }
  switch (outcome.kind) {
    case 'taken': {
      const { value, leaseId, record } = outcome.by;
      const text = `${whoHolds(outcome.by)} holds the key; standing by until it goes`;
      const { instance, host, pid, admin } = record ?? {};
      notices.tell('claim', 'warn', text, { value, lease: leaseId, instance, host, pid, admin });
      return;
    }
    case 'respected':
      notices.tell('by hand', 'warn', `the key was ${outcome.because}: left so as --by-hand says`);
      return;
    case 'written': {
      const isRepair = ['deleted by hand', 'overwritten by hand'].includes(outcome.because);
      notices.news(isRepair ? 'warn' : 'info', 'key written', { because: outcome.because });
      return;
    }
    case 'record repaired':
      notices.news('warn', 'the record beside the key was changed by somebody else: written again');
      return;
    case 'removed':
      notices.news('info', 'key removed');
      return;
    case 'held':
    case 'ordered out':
    case 'absent':
      return;
    default:
      outcome satisfies never;
  }
}

function whoHolds({ record, leaseId }: Holder): string {
  return record
    ? `the watchdog ${record.instance} on ${record.host}`
    : `an unknown holder of lease ${leaseId}`;
}
