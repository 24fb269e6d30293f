/**
 * Tells what the loop did: each thing once in the log at its level, always in the
 * metrics and in the status. Nothing that is refused, held or repaired is quiet.
 */
import type { Clock } from '../lib/clock.ts';
import { type Log, Notices } from '../lib/log.ts';
import { heldOf } from './pool/absence.ts';
import type { Turn } from './balancer.ts';
import type { BalancerMetrics } from './metrics.ts';
import type { Failure, NginxAnswer, Rollout } from './rollout/rollout.ts';

const failureTexts: Readonly<Record<Failure['step'], string>> = {
  swap: 'the new file was not put in place; nginx goes on with the old one',
  reload: 'the file is in place, but nginx was not told',
  confirm: 'nginx did not take the new generation',
};

/** Key to reason. */
type Reasons = ReadonlyMap<string, string>;

const setAsideIn = (turn: Turn | undefined): Reasons =>
  new Map(turn?.pool.setAside.map(({ key, reason }) => [key, reason]));

const heldIn = (turn: Turn | undefined): Reasons =>
  new Map(
    turn && heldOf(turn.roster).map(({ backend, heldBecause }) => [backend.key, heldBecause ?? '']),
  );

const servedBy = (answer: NginxAnswer) =>
  answer.kind === 'serves' ? answer.generation : undefined;

export function reporter(log: Log, metrics: BalancerMetrics, clock: Clock): (turn: Turn) => void {
  const notices = new Notices(log);
  let before: Turn | undefined;
  let wantedSinceMs = 0;

  /** Keeps one notice per key for as long as the key is in the list. */
  const tellKeys = (
    kind: string,
    text: string,
    keys: Reasons,
    keysBefore: Reasons,
    done: string,
  ) => {
    for (const [key, reason] of keys) {
      notices.tell(`${kind} ${key}`, 'warn', `${text}: ${reason}`, { key, reason });
    }
    for (const key of keysBefore.keys()) {
      if (!keys.has(key)) notices.clear(`${kind} ${key}`, done, { key });
    }
  };

  const tellWanted = (turn: Turn) => {
    const { wanted, roster, view } = turn;
    if (!wanted || wanted === before?.wanted) return;
    wantedSinceMs = clock.now();
    const added = [...roster.present.keys()].filter((key) => !before?.roster.present.has(key));
    const removed = [...(before?.roster.present.keys() ?? [])].filter(
      (key) => !roster.present.has(key),
    );
    log.info(
      {
        generation: wanted.generation,
        revision: view.snapshot?.revision,
        backends: roster.present.size,
        // A pool of thousands must not make a line of megabytes.
        added: added.slice(0, 20),
        removed: removed.slice(0, 20),
      },
      'pool changed',
    );
  };

  const tellFailure = ({ failure }: Rollout) => {
    if (!failure) return notices.clear('rollout', 'the rollout goes on');
    const { step, reason, generation, attempts } = failure;
    if (failure !== before?.rollout.failure) metrics.attempts.inc({ result: `${step}_failed` });
    const level = step === 'reload' ? 'warn' : 'error';
    notices.tell('rollout', level, `${failureTexts[step]}: ${reason}`, {
      step,
      generation,
      attempts,
    });
  };

  const tellServed = ({ wanted, rollout: { answer }, decision }: Turn) => {
    const serves = servedBy(answer);
    if (
      serves !== (before && servedBy(before.rollout.answer)) &&
      serves !== undefined &&
      serves === wanted?.generation
    ) {
      metrics.convergence.observe((clock.now() - wantedSinceMs) / 1000);
    }
    const settled = decision.kind === 'confirmed' ? wanted?.generation : undefined;
    const confirmed = before?.decision.kind === 'confirmed' ? before.wanted?.generation : undefined;
    if (settled !== undefined && settled !== confirmed) {
      metrics.attempts.inc({ result: 'confirmed' });
      const tookMs = Math.round(clock.now() - wantedSinceMs);
      log.info({ generation: settled, tookMs }, 'generation confirmed');
    }
    if (settled === undefined && confirmed !== undefined && wanted === before?.wanted) {
      log.warn(
        { wanted: wanted?.generation, serves: serves ?? 'no answer' },
        'nginx no longer serves what is wanted',
      );
    }
  };

  return (turn) => {
    const { view } = turn;
    if (view.trouble && !view.connected) {
      const text = view.snapshot
        ? 'etcd is away: the last good pool stands'
        : 'etcd is away: nothing is known, nothing is changed';
      notices.tell('etcd', 'warn', text, { reason: view.trouble });
    } else notices.clear('etcd', 'etcd answers again');
    if (
      view.snapshot &&
      before?.view.snapshot &&
      view.snapshot.epoch !== before.view.snapshot.epoch
    ) {
      log.warn('etcd was wiped or restored: the pool it lost is held until it is registered anew');
    }
    tellKeys(
      'set aside',
      'key set aside',
      setAsideIn(turn),
      setAsideIn(before),
      'key no longer set aside',
    );
    tellKeys(
      'held',
      'backend held in the pool although its key is gone',
      heldIn(turn),
      heldIn(before),
      'backend no longer held',
    );
    if (turn.templateFault === undefined) notices.clear('template', 'the template renders again');
    else notices.tell('template', 'error', `the last good pool stands: ${turn.templateFault}`);
    tellWanted(turn);
    tellFailure(turn.rollout);
    tellServed(turn);
    metrics.show(turn);
    before = turn;
  };
}
