/**
 * Signals to a whole process group, and whether anything in it still lives or still runs.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** False when there is no such group any more. */
export function signalGroup(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

export function groupLives(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  if (process.platform !== 'linux') return true;
  // The dead still count for the kernel until init collects them, and some inits are slow at it.
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isLivingMember(name, group));
}

/** A stop is delivered thread by thread: until the last one has it, the program still answers. */
export function groupIsStopped(group: number): boolean {
  if (process.platform !== 'linux') return true;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isLivingMember(name, group))
    .every((pid) => threadStates(pid).every((state) => 'TZX'.includes(state ?? 'X')));
}

function threadStates(pid: string): (string | undefined)[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => statOf(`${pid}/task/${thread}`)[0]);
  } catch {
    return [];
  }
}

/** State, parent, group, ... of a process or a thread. */
function statOf(path: string): string[] {
  // "PID (NAME) STATE PARENT GROUP ..."; the name may hold anything.
  const stat = readFileSync(`/proc/${path}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function isLivingMember(pid: string, group: number): boolean {
  try {
    const [state, , itsGroup] = statOf(pid);
    return Number(itsGroup) === group && state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}
