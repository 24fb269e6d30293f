/**
 * Runs the asked command in this process's place: its terminal, its signals, its exit status.
 *
 * A Ctrl-C reaches the command exactly once. The terminal sends it to every process of its group
 * and npm passes it on again, so the command gets a group of its own, and what arrives twice at
 * nearly the same moment counts as one. A second Ctrl-C by hand is passed on as the second.
 *
 * The command does not outlive those who wait for it: when npm is gone it is asked to stop, and
 * where the system can (`setpriv`), also when this process is killed.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isInstalled } from './look.mjs';

const SAME_SIGNAL_WITHIN_MS = 200;
const PARENT_LOOKED_AT_EVERY_MS = 500;

/** @type {Partial<Record<NodeJS.Signals, NodeJS.Signals>>} */
const passedOnAs = {
  SIGINT: 'SIGINT',
  SIGTERM: 'SIGTERM',
  // A closed terminal is a wish to stop.
  SIGHUP: 'SIGTERM',
  SIGWINCH: 'SIGWINCH',
};

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} the exit status
 */
export function handOver(command, args, env) {
  const tied = process.platform === 'linux' && isInstalled('setpriv');
  const [program = command, ...words] = [
    ...(tied ? ['setpriv', '--pdeathsig', 'TERM', '--'] : []),
    command,
    ...args,
  ];
  const child = spawn(program, words, { env, stdio: 'inherit', detached: true });

  /** @type {Map<NodeJS.Signals, number>} */
  const passedOnAt = new Map();
  /** @param {NodeJS.Signals} signal */
  function passOn(signal) {
    const now = performance.now();
    if (now - (passedOnAt.get(signal) ?? -Infinity) < SAME_SIGNAL_WITHIN_MS) return;
    passedOnAt.set(signal, now);
    child.kill(signal);
  }
  for (const [received, sent] of Object.entries(passedOnAs)) {
    process.on(received, () => passOn(sent));
  }

  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) passOn('SIGTERM');
  }, PARENT_LOOKED_AT_EVERY_MS);

  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => {
      clearInterval(watch);
      resolve(status ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
