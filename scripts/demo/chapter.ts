/**
 * What a chapter of the story is: it does harm, watches by independent means what follows, and
 * throws when that is not what it should be. It heals nothing: the story puts the world right.
 */
import type { Cluster } from './cluster.ts';
import type { Sent, SteadyClient } from './steady-client.ts';

export interface Stage {
  readonly cluster: Cluster;
  readonly client: SteadyClient;
  /** Break what this chapter checks: it has to fail then. */
  readonly sabotaged: boolean;
  readonly signal: AbortSignal;
}

export interface Cost {
  readonly mayFail: (request: Sent) => boolean;
  /** Even of those. */
  readonly atMost: number;
}

export interface Seen {
  /** What was done and what was seen, one short line. */
  readonly line: string;
  /** The failed requests that this fault may cost; none when left out. */
  readonly cost?: Cost;
}

export interface Chapter {
  readonly name: string;
  readonly title: string;
  /** What is done to it by --break. */
  readonly sabotage: string;
  run(stage: Stage): Promise<Seen>;
}
