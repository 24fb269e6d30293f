/**
 * SIGHUP to the master that the pid file names. The file can outlive nginx, and its
 * number can belong to another process by now, so where the system tells, the process
 * must be an nginx.
 */
import { readFile } from 'node:fs/promises';
import { codeOf, messageOf } from '../../../lib/errors.ts';

/** @returns undefined when the signal was sent, else why not. */
export async function reloadBySignal(pidFile: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(pidFile, 'utf8');
  } catch (error) {
    return codeOf(error) === 'ENOENT'
      ? `nginx is not running: there is no ${pidFile}`
      : `cannot read ${pidFile}: ${messageOf(error)}`;
  }
  // nginx -t leaves an empty file where there was none.
  const pid = Number(/^(\d+)\n?$/.exec(text)?.[1] ?? Number.NaN);
  if (!(pid > 1)) return `nginx is not running: ${pidFile} holds no process number`;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => undefined);
  if (name !== undefined && name.trim() !== 'nginx') {
    return `nginx is not running: process ${pid} of ${pidFile} is ${JSON.stringify(name.trim())}`;
  }
  try {
    process.kill(pid, 'SIGHUP');
    return undefined;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return `nginx is not running: ${pidFile} names process ${pid}`;
    return `cannot signal process ${pid} of ${pidFile}: ${messageOf(error)}`;
  }
}
