/**
 * Why the key is let go although the backend may be well, and how far that has come: the state that
 * the loop asks once a turn, before it has etcd agree and after it. Also whether the key, where it is
 * held, is in rotation. It decides nothing by itself: the folds it calls are pure.
 */
import type { Clock } from '../../lib/clock.ts';
import { parseBackend, splitKey } from '../../registry/backend.ts';
import type { Missing } from '../../registry/confirmation.ts';
import type { Moment } from '../../registry/store.ts';
import type { Registration } from '../registration/registration.ts';
import type { Standing } from '../registration/sight.ts';
import {
  beginDrain,
  type Drain,
  drainDueAtMs,
  type DrainRules,
  foldDrain,
  type Seen,
  stopDrained,
} from './drain.ts';
import type { Onlooker } from './onlooker.ts';
import { foldRotation, isInRotation, outOfRotation, type Rotation } from './rotation.ts';

export interface DrainingDeps {
  readonly registration: Pick<Registration, 'standing' | 'order' | 'leaseLostAtMs'>;
  readonly onlooker: Pick<Onlooker, 'look' | 'lookAnew' | 'moment' | 'trouble'>;
  readonly rules: DrainRules;
  readonly backend: OwnBackend;
  readonly clock: Clock;
}

export interface OwnBackend {
  readonly key: string;
  /** IP:PORT. */
  readonly address: string;
}

export class Draining {
  readonly #deps: DrainingDeps;
  #drain: Drain | undefined;
  #rotation: Rotation = outOfRotation;
  /** For this revision a look was asked for. */
  #lookedFor: number | undefined;

  constructor(deps: DrainingDeps) {
    this.#deps = deps;
  }

  get drain(): Drain | undefined {
    return this.#drain;
  }

  /** The watchdog has nothing more to wait for. */
  get isOver(): boolean {
    return this.#drain?.stopAtMs !== undefined && this.#drain.stage.kind === 'over';
  }

  get isInRotation(): boolean {
    return isInRotation(this.#rotation, this.#deps.registration.standing);
  }

  /** Whose nginx is confirmed to serve the key; nobody's while it is not in rotation. */
  get servedBy(): readonly string[] {
    return this.isInRotation ? this.#rotation.servedBy : [];
  }

  get waitsFor(): readonly Missing[] {
    const { trouble } = this.#deps.onlooker;
    if (trouble !== undefined) return [{ who: 'etcd', why: trouble }];
    const stage = this.#drain?.stage;
    return stage?.kind === 'waiting' ? stage.missing : this.#rotation.missing;
  }

  /** Begins or ends what an order or a stop asks for, and concludes how far it has come. */
  update(isStopping: boolean, neverWrote: boolean): void {
    const { registration, onlooker, rules, backend, clock } = this.#deps;
    const { standing, order, leaseLostAtMs } = registration;
    const nowMs = clock.now();
    const before = this.#drain;
    if (isStopping && before?.stopAtMs === undefined) {
      this.#drain = before
        ? stopDrained(before, nowMs)
        : beginDrain('shutdown', clock.date(), nowMs);
    } else if (!isStopping && order && !before) {
      this.#drain = beginDrain('operator', clock.date(), nowMs);
    } else if (!isStopping && !order) {
      this.#drain = undefined;
    }
    const { trouble } = onlooker;
    // One for another revision may even be of another store.
    const look = this.#lookedFor === revisionOf(standing) ? onlooker.moment : undefined;
    if (this.#drain) {
      const keyIs = keyIn(look, backend);
      const seen = { nowMs, standing, neverWrote, look, trouble, keyIs, leaseLostAtMs };
      this.#drain = foldDrain(this.#drain, seen, rules);
    }
    this.#rotation = foldRotation(this.#rotation, standing, look, {
      ...{ name: splitKey(backend.key).name, balancers: rules.balancers },
    });
  }

  /** @param isRegistered the key is held. @returns when to call again, at the latest. */
  look(isRegistered: boolean, ring: () => void, signal: AbortSignal): number {
    const { onlooker, rules, registration } = this.#deps;
    const { standing } = registration;
    const drain = this.#drain;
    const isWanted = drain
      ? drain.revision !== undefined && drain.stage.kind !== 'over'
      : isRegistered && !this.isInRotation;
    onlooker.look(isWanted, ring, signal);
    // What was seen before the key came or went tells nothing of it.
    const revision = revisionOf(standing);
    if (isWanted && revision !== this.#lookedFor) {
      this.#lookedFor = revision;
      onlooker.lookAnew();
    }
    return drain
      ? drainDueAtMs(drain, registration.leaseLostAtMs, rules)
      : Number.POSITIVE_INFINITY;
  }
}

const revisionOf = (standing: Standing) => ('revision' in standing ? standing.revision : undefined);

/** What stands at our key: our backend, under whoever's lease, or another one. */
function keyIn(look: Moment | undefined, { key, address }: OwnBackend): Seen['keyIs'] {
  const stored = look?.keys[0];
  if (!stored) return 'absent';
  const parsed = parseBackend(splitKey(key).prefix, key, stored.value, stored.valueBytes);
  return parsed.ok && parsed.value.address === address ? 'ours' : 'elsewhere';
}
