/**
 * A program as a child with a process group of its own: freezing and killing reach its workers too,
 * a Ctrl-C in the terminal reaches only this process, and the guard ends the group with it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { guardGroup, releaseGroup } from './guard.ts';
import { groupIsStopped, groupLives, signalGroup } from './process-group.ts';
import { waitUntil } from './wait-until.ts';

const KEPT_LINES = 50;
const GONE_WITHIN_MS = 3000;
const STOPPED_WITHIN_MS = 3000;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly onLine?: (line: string) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  /** Of the child, and of its process group. */
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly exit: Exit | undefined;
  readonly lastLines: readonly string[];
  /** To the child alone. */
  signal(name: NodeJS.Signals): void;
  /** To its whole group. */
  signalGroup(name: NodeJS.Signals): void;
  /** Stops the whole group by SIGSTOP; returns when every thread of it has stopped. */
  freeze(): Promise<void>;
  /** Ends the whole group at once, whether it runs or is frozen. */
  kill(): Promise<Exit>;
  /** Asks by a signal; a child that is still there at the deadline is killed. */
  stop(name: NodeJS.Signals, withinMs: number): Promise<Exit>;
}

export async function startChild(command: Command): Promise<Child> {
  const spawned = spawn(command.program, command.args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: command.env ?? process.env,
    ...(command.cwd && { cwd: command.cwd }),
  });
  if (spawned.pid !== undefined) guardGroup(spawned.pid);
  await once(spawned, 'spawn');
  const pid = spawned.pid ?? 0;

  const lastLines: string[] = [];
  for (const stream of [spawned.stdout, spawned.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > KEPT_LINES) lastLines.shift();
      command.onLine?.(line);
    });
  }

  let exit: Exit | undefined;
  let gone = false;
  // 'exit', not 'close': a worker that lives on would hold the pipes open.
  const exited = once(spawned, 'exit').then(([code, signal]): Exit => {
    if (!groupLives(pid)) release();
    return (exit = { code, signal });
  });

  function release(): void {
    gone = true;
    releaseGroup(pid);
  }

  async function kill(): Promise<Exit> {
    // The number of a group that is gone may be somebody else's by now.
    if (gone) return exited;
    signalGroup(pid, 'SIGKILL');
    const ended = await exited;
    await waitUntil(
      { expected: `no process left in group ${pid}`, withinMs: GONE_WITHIN_MS, everyMs: 5 },
      () => (groupLives(pid) ? 'still there' : true),
    );
    release();
    return ended;
  }

  return {
    pid,
    exited,
    get exit() {
      return exit;
    },
    lastLines,
    signal: (name) => void spawned.kill(name),
    signalGroup: (name) => void (gone || signalGroup(pid, name)),
    async freeze() {
      if (gone) return;
      signalGroup(pid, 'SIGSTOP');
      await waitUntil(
        { expected: `group ${pid} stopped`, withinMs: STOPPED_WITHIN_MS, everyMs: 1 },
        () => groupIsStopped(pid) || 'a thread that runs',
      );
    },
    kill,
    async stop(name, withinMs) {
      const overdue = setTimeout(() => signalGroup(pid, 'SIGKILL'), withinMs);
      spawned.kill(name);
      signalGroup(pid, 'SIGCONT');
      await exited.finally(() => clearTimeout(overdue));
      // Workers that outlived their master would keep its port.
      return kill();
    },
  };
}
