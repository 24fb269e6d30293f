/**
 * The pid file of nginx, turned into the process that it means. The file can outlive
 * nginx, and its number can belong to another process by now, so where the system tells,
 * the process must be an nginx.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { codeOf, messageOf } from '../../lib/errors.ts';

export interface Master {
  readonly pid: number;
  /** When it started, in ticks since the boot; undefined where the system does not show it. */
  readonly startTicks: string | undefined;
}

export type MasterLook =
  | ({ readonly found: true } & Master)
  | { readonly found: false; readonly reason: string };

export async function findMaster(pidFile: string): Promise<MasterLook> {
  let text: string;
  try {
    text = await readFile(pidFile, 'utf8');
  } catch (error) {
    return no(
      codeOf(error) === 'ENOENT'
        ? `nginx is not running: there is no ${pidFile}`
        : `cannot read ${pidFile}: ${messageOf(error)}`,
    );
  }
  // nginx -t leaves an empty file where there was none.
  const pid = Number(/^(\d+)\n?$/.exec(text)?.[1] ?? Number.NaN);
  if (!(pid > 1)) return no(`nginx is not running: ${pidFile} holds no process number`);
  const stat = statOf(pid);
  if (stat !== undefined && stat.name !== 'nginx') {
    const name = JSON.stringify(stat.name);
    return no(`nginx is not running: process ${pid} of ${pidFile} is ${name}`);
  }
  return { found: true, pid, startTicks: stat?.startTicks };
}

const no = (reason: string) => ({ found: false, reason }) as const;

function statOf(pid: number) {
  try {
    return parseStat(readProc(`${pid}/stat`));
  } catch {
    return undefined;
  }
}

/**
 * Not handed to another thread: /proc is memory, and that would cost ten times as much (0.2 ms),
 * many times in 20 ms while a reload is awaited.
 */
export const readProc = (path: string) => readFileSync(`/proc/${path}`, 'latin1');

/** @param text of /proc/PID/stat, whose second field is a name that may hold anything. */
export function parseStat(
  text: string,
): { readonly name: string; readonly startTicks: string } | undefined {
  const [, name, rest] = /^\d+ \(([^]*)\) ([^)]*)$/.exec(text) ?? [];
  // The third field of the line is the first of the rest; the start is the 22nd.
  const startTicks = rest?.split(' ')[22 - 3];
  return name === undefined || startTicks === undefined ? undefined : { name, startTicks };
}
