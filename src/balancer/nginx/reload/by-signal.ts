/** SIGHUP to the master that the pid file names, and to no other program. */
import { codeOf, messageOf } from '../../../lib/errors.ts';
import { findMaster } from '../master.ts';

/** @returns undefined when the signal was sent, else why not. */
export async function reloadBySignal(pidFile: string): Promise<string | undefined> {
  const master = await findMaster(pidFile);
  if (!master.found) return master.reason;
  const { pid } = master;
  try {
    process.kill(pid, 'SIGHUP');
    return undefined;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return `nginx is not running: ${pidFile} names process ${pid}`;
    return `cannot signal process ${pid} of ${pidFile}: ${messageOf(error)}`;
  }
}
