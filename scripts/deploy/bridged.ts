/**
 * Lets the containers of one network talk to one another by way of an engine that leaves the packet
 * filter alone. What another engine once set there may stay when that has gone, and drops it all.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../parts/find-program.ts';

const SET_WITHIN_MS = 10_000;

const run = promisify(execFile);

/** Only what stays on its bridge; no packet from or to anywhere else. */
const rule = [
  ...['FORWARD', '--match', 'physdev', '--physdev-is-bridged', '--match', 'comment'],
  ...['--comment', `rollcall-test-${process.pid}`, '--jump', 'ACCEPT'],
];

const iptables = (verb: string) =>
  run(findProgram('iptables'), ['--wait', verb, ...rule], { timeout: SET_WITHIN_MS });

export async function letBridgedTalk(): Promise<AsyncDisposable> {
  await iptables('--insert');
  return { [Symbol.asyncDispose]: async () => void (await iptables('--delete')) };
}
