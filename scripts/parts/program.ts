/**
 * A program that can be started, stopped, killed, frozen and started again as the same thing: same
 * address, same data. Each start returns only when it is ready, or fails with its last words.
 * At the end of its scope it is killed: nothing it holds is worth keeping.
 */
import { messageOf } from '../../src/lib/errors.ts';
import { type Child, type Command, type Exit, startChild } from './child.ts';
import { type Look, waitUntil } from './wait-until.ts';

const READY_WITHIN_MS = 15_000;
const STOPPED_WITHIN_MS = 5000;

export interface ProgramPlan {
  readonly name: string;
  readonly command: Command;
  readonly ready: () => Promise<Look>;
  /** What asks it to finish, SIGTERM if nothing else is said. */
  readonly stopSignal?: NodeJS.Signals;
}

export interface Program extends AsyncDisposable {
  readonly name: string;
  /** Of the program and its process group; undefined while it does not run. */
  readonly pid: number | undefined;
  readonly lastLines: readonly string[];
  start(): Promise<void>;
  stop(withinMs?: number): Promise<Exit>;
  kill(): Promise<void>;
  freeze(): Promise<void>;
  resume(): void;
  /** Settles when the run that is now going ends by itself or by one of the above. */
  ended(): Promise<Exit>;
}

export async function startProgram(plan: ProgramPlan): Promise<Program> {
  let child: Child | undefined;

  function running(): Child {
    if (!child || child.exit) throw new Error(`${plan.name} does not run`);
    return child;
  }

  async function start(): Promise<void> {
    if (child && !child.exit) throw new Error(`${plan.name} runs already`);
    // What its master left behind when somebody else ended it would hold the port.
    await child?.kill();
    const started = await startChild(plan.command);
    child = started;
    try {
      await waitUntil({ expected: `${plan.name} ready`, withinMs: READY_WITHIN_MS }, () => {
        if (started.exit) throw new Error(`${plan.name} ended with ${describeExit(started.exit)}`);
        return plan.ready().catch(messageOf);
      });
    } catch (cause) {
      await started.kill();
      throw new Error([messageOf(cause), ...started.lastLines.slice(-5)].join('\n  '), {
        cause,
      });
    }
  }

  await start();
  return {
    name: plan.name,
    get pid() {
      return child?.exit ? undefined : child?.pid;
    },
    get lastLines() {
      return child?.lastLines ?? [];
    },
    start,
    stop: (withinMs = STOPPED_WITHIN_MS) => running().stop(plan.stopSignal ?? 'SIGTERM', withinMs),
    kill: async () => void (await child?.kill()),
    freeze: async () => running().freeze(),
    resume: () => running().signalGroup('SIGCONT'),
    ended: () => running().exited,
    [Symbol.asyncDispose]: async () => void (await child?.kill()),
  };
}

function describeExit({ code, signal }: Exit): string {
  return signal ?? `exit status ${code}`;
}
