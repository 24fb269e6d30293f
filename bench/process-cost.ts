/** What a process costs its host, as Linux counts it. */
import { readFileSync } from 'node:fs';

/** The unit of times in /proc: fixed at 100 a second for programs, whatever the kernel does. */
const tickMs = 10;

export interface Memory {
  readonly rssMb: number;
  /** What one more such process costs: pages that it wrote to and shares with nobody. */
  readonly privateDirtyMb: number;
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mb = (name: string) =>
    Number(new RegExp(String.raw`^${name}:\s+(\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { rssMb: mb('Rss'), privateDirtyMb: mb('Private_Dirty') };
}

/** CPU time so far, of the process and of the children that it has waited for. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // "PID (NAME) STATE PARENT ..."; the name may hold anything. Counted from the state, the times of
  // the process are fields 11 and 12, those of its children 13 and 14.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * tickMs;
}
