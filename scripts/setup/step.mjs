/**
 * One step of the preparation: a command whose output is shown only when it fails, and one line on
 * standard error that says what goes on and how long it took.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const SHOWN_ON_FAILURE_LINES = 40;

/** A step that failed; the message is for people, and holds the last words of the command. */
export class StepFailed extends Error {}

/** This machine or this call cannot be served; the message says what would help. */
export class CannotPrepare extends Error {}

/**
 * @param {string} title
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function step(title, command, args, env = process.env) {
  const done = showProgress(title);
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  /** @type {string[]} */
  const output = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => output.push(text));
  }
  try {
    const [status] = await once(child, 'close');
    if (status === 0) return done('');
  } catch (error) {
    output.push(String(error));
  }
  done(': failed');
  const lastWords = output.join('').trimEnd().split('\n').slice(-SHOWN_ON_FAILURE_LINES);
  throw new StepFailed([...lastWords, `${title} failed: ${command} ${args.join(' ')}`].join('\n'));
}

/**
 * @param {string} title
 * @returns {(outcome: string) => void}
 */
function showProgress(title) {
  const began = performance.now();
  const { stderr } = process;
  const line = () => `setup: ${title} … ${Math.round((performance.now() - began) / 1000)} s`;
  if (!stderr.isTTY) stderr.write(`setup: ${title} …\n`);
  const ticker = stderr.isTTY ? setInterval(() => stderr.write(`\r${line()}`), 250) : undefined;
  return (outcome) => {
    clearInterval(ticker);
    stderr.write(`${stderr.isTTY ? '\r' : ''}${line()}${outcome}\n`);
  };
}
