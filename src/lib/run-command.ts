/**
 * Runs a program without a shell, always with a deadline. What comes back is a
 * value: a non-zero status is an outcome, not an exception. At the deadline the
 * program is killed (SIGKILL, since SIGTERM can be ignored) and the call returns,
 * even if a grandchild still holds the pipes open.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export type CommandResult =
  | { readonly kind: 'exited'; readonly status: number; readonly output: string }
  | { readonly kind: 'killed'; readonly by: string; readonly output: string }
  | { readonly kind: 'timed out'; readonly timeoutMs: number; readonly output: string }
  | { readonly kind: 'not started'; readonly reason: string };

/** Of what the program wrote (both streams), the end is kept: that is where the error stands. */
const keptOutputChars = 8192;

/** How long the pipes may stay open after the program has ended. */
const pipeGraceMs = 200;

/** @param onOutput is given all that the program writes to its standard output, as it comes. */
export function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  timeoutMs: number,
  signal?: AbortSignal,
  onOutput: (text: string) => void = () => {},
): Promise<CommandResult> {
  if (signal?.aborted) return Promise.resolve({ kind: 'killed', by: 'shutdown', output: '' });
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const streams: readonly (Readable | null | undefined)[] = [child.stdout, child.stderr];
    // Out of file descriptors, spawn fails before there are pipes; nobody listening would be fatal.
    child.on('error', (error) => finish({ kind: 'not started', reason: error.message }));
    const finish = (result: CommandResult) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      for (const stream of streams) stream?.destroy();
      child.unref();
      resolve(result);
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      finish({ kind: 'timed out', timeoutMs, output });
    }, timeoutMs);
    const abort = () => {
      child.kill('SIGKILL');
      finish({ kind: 'killed', by: 'shutdown', output });
    };
    signal?.addEventListener('abort', abort, { once: true });
    for (const stream of streams) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-keptOutputChars);
      });
    }
    child.stdout?.on('data', onOutput);
    const ended = (status: number | null, by: string | null) => {
      finish(
        status === null
          ? { kind: 'killed', by: by ?? 'unknown signal', output }
          : { kind: 'exited', status, output },
      );
    };
    child.on('close', ended);
    // A grandchild may hold the pipes open long after the program itself has ended.
    child.on('exit', (status, by) => setTimeout(ended, pipeGraceMs, status, by).unref());
  });
}

/** One line saying why a command did not do its work; undefined when it exited with 0. */
export function failureOf(result: CommandResult): string | undefined {
  switch (result.kind) {
    case 'exited':
      return result.status === 0
        ? undefined
        : `exit status ${result.status}${lastWords(result.output)}`;
    case 'killed':
      return `killed by ${result.by}${lastWords(result.output)}`;
    case 'timed out':
      return `no end within ${result.timeoutMs} ms, killed${lastWords(result.output)}`;
    case 'not started':
      return result.reason;
    default:
      return result satisfies never;
  }
}

function lastWords(output: string): string {
  const lines = output.trim().split('\n').slice(-4).join('; ');
  return lines === '' ? '' : `: ${lines}`;
}
