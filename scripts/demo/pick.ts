/** The backend that a chapter does its harm to. */
import type { Stage } from './chapter.ts';
import type { Backend } from './cluster.ts';

export function pick({ cluster }: Stage, index: number): Backend {
  const backend = cluster.backends[index];
  if (!backend) throw new Error(`The cluster has no backend ${index}`);
  return backend;
}
