/**
 * Tells what the loop did: each thing once in the log at its level, always in the
 * metrics and in the status. Nothing that is refused, held or repaired is quiet.
 */
import type { Clock } from '../../lib/clock.ts';
import { type Log, Notices } from '../../lib/log.ts';
import type { Turn } from '../balancer.ts';
import { changeOf } from '../rollout/delivery.ts';
import type { Target } from '../rollout/plan.ts';
import type { Failure, Rollout } from '../rollout/rollout.ts';
import type { Said } from '../said.ts';
import { servedBy } from './facts.ts';
import type { BalancerMetrics } from './metrics.ts';
import { poolReporter } from './pool-report.ts';

const failureTexts: Readonly<Record<Failure['step'], string>> = {
  check: 'the new file was not put in place; nginx goes on with the old one',
  swap: 'the new file was not put in place; nginx goes on with the old one',
  reload: 'nginx did not hear of the new file',
  confirm: 'nginx did not take the new generation',
};

/** A pool of thousands must not make a line of megabytes. */
const namesTold = 20;

export function reporter(
  log: Log,
  metrics: BalancerMetrics,
  clock: Clock,
): (turn: Turn, said: Said) => void {
  const notices = new Notices(log);
  const tellPools = poolReporter(log, notices);
  let before: Turn | undefined;

  const tellTarget = ({ target }: Turn) => {
    if (!target || target.rendered === before?.target?.rendered) return;
    const [now, earlier] = [keysOf(target), keysOf(before?.target)];
    log.info(
      {
        generation: target.rendered.generation,
        change: changeOf(before?.target?.rendered, target.rendered),
        revisions: Object.fromEntries(
          target.censuses.map(({ service, reflects }) => [service.name, reflects]),
        ),
        backends: now.size,
        added: [...now].filter((key) => !earlier.has(key)).slice(0, namesTold),
        removed: [...earlier].filter((key) => !now.has(key)).slice(0, namesTold),
      },
      'pool changed',
    );
  };

  const tellPace = ({ pace, generations }: Turn) => {
    if (!pace.due && pace.because === 'generations') {
      const text = `additions wait: ${generations.living} generations of nginx still live`;
      notices.tell('pace', 'warn', text);
    } else if (!pace.due && pace.because === 'reloads') {
      notices.tell('pace', 'info', 'changes wait: there were many reloads lately');
    } else notices.clear('pace', 'changes wait no longer');
  };

  const tellFailure = ({ failure }: Rollout) => {
    if (!failure) return notices.clear('rollout', 'the rollout goes on');
    const { step, reason, generation, attempts } = failure;
    if (failure !== before?.rollout.failure) metrics.rollouts.inc({ result: `${step}_failed` });
    const level = step === 'reload' ? 'warn' : 'error';
    const fields = { step, generation, attempts };
    notices.tell('rollout', level, `${failureTexts[step]}: ${reason}`, fields);
  };

  const tellServed = (turn: Turn) => {
    const { target, rollout } = turn;
    const serves = servedBy(rollout.answer);
    if (
      target &&
      serves === target.rendered.generation &&
      serves !== (before && servedBy(before.rollout.answer))
    ) {
      metrics.convergence.observe((clock.now() - target.sinceMs) / 1000);
    }
    const settled = confirmedIn(turn);
    const settledBefore = before && confirmedIn(before);
    if (settled !== undefined && settled !== settledBefore) {
      metrics.rollouts.inc({ result: 'confirmed' });
      const tookMs = Math.round(clock.now() - (target?.sinceMs ?? clock.now()));
      log.info({ generation: settled, tookMs }, 'generation confirmed');
    }
    const wanted = target?.rendered.generation;
    if (settled === undefined && settledBefore !== undefined && settledBefore === wanted) {
      log.warn({ wanted, serves: serves ?? 'no answer' }, 'nginx no longer serves what is wanted');
    }
  };

  return (turn, said) => {
    const { draft } = turn;
    tellPools(turn);
    if (draft?.ok === false) {
      notices.tell('template', 'error', `the last good pool stands: ${draft.fault}`);
    } else notices.clear('template', 'the template renders again');
    tellTarget(turn);
    tellPace(turn);
    tellFailure(turn.rollout);
    tellServed(turn);
    metrics.show(turn, said);
    before = turn;
  };
}

const confirmedIn = ({ decision, target }: Turn) =>
  decision.kind === 'confirmed' ? target?.rendered.generation : undefined;

const keysOf = (target: Target | undefined) =>
  new Set(target?.served.flatMap(({ backends }) => backends.map(({ key }) => key)));
