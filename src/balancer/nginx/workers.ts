/**
 * What nginx's own processes say: which workers serve and which are leaving, read from
 * the titles that they give themselves. A worker changes its title before it stops taking
 * connections, in the same turn of its loop, so one that is leaving takes no new request.
 * What cannot be seen is undefined, never a guess.
 */
import { codeOf } from '../../lib/errors.ts';
import { findMaster, readProc } from './master.ts';

export interface Workers {
  /** Its process number and when it started: a number that is used again is another master. */
  readonly master: string;
  readonly serving: readonly number[];
  readonly leaving: readonly number[];
}

/**
 * @returns undefined when they cannot be seen: no pid file, no such process, one that is
 * not nginx's master (of another pid namespace, or later), or a /proc that hides them.
 */
export async function readWorkers(pidFile: string): Promise<Workers | undefined> {
  const found = await findMaster(pidFile);
  if (!found.found || found.startTicks === undefined) return undefined;
  const { pid, startTicks } = found;
  try {
    // The number may be that of a worker in another pid namespace, seen from this one.
    if (readRole(pid) !== 'master') return undefined;
    const pids = parseChildren(readProc(`${pid}/task/${pid}/children`));
    const roles = pids.map(readRole);
    const having = (role: Role) => pids.filter((_, at) => roles[at] === role);
    return {
      master: `${pid}@${startTicks}`,
      serving: having('serving'),
      leaving: having('leaving'),
    };
  } catch {
    return undefined;
  }
}

/** @throws the system's error when the process is there and may not be looked at. */
function readRole(pid: number): Role {
  try {
    return roleOf(readProc(`${pid}/cmdline`));
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(codeOf(error) ?? '')) return 'other';
    throw error;
  }
}

export type Role = 'master' | 'serving' | 'leaving' | 'other';

/**
 * @param cmdline of /proc/PID/cmdline: the title, and what is left of the arguments that it
 * was written over. A process that has ended has none.
 */
export function roleOf(cmdline: string): Role {
  const title = cmdline.split('\0', 1)[0] ?? '';
  if (title.startsWith('nginx: master process')) return 'master';
  if (title === 'nginx: worker process') return 'serving';
  if (title === 'nginx: worker process is shutting down') return 'leaving';
  // Keepers and loaders of a cache, a worker so young that it has no title yet, a second master.
  return 'other';
}

/** @param text of /proc/PID/task/PID/children: numbers, each with a space behind it. */
export const parseChildren = (text: string): readonly number[] =>
  text.split(' ').filter(Boolean).map(Number);
