/**
 * The two commands of this project as children, from the compiled dist/ unless another release is
 * given: what runs here is what ships. Each is ready when its admin address says that it is healthy;
 * its log is read line by line.
 */
import { fileURLToPath } from 'node:url';
import { httpGet } from './http-get.ts';
import { freePort } from './ports.ts';
import { type Program, startProgram } from './program.ts';
import type { BalancerStatus, WatchdogStatus } from './status.ts';

/** The command line of this checkout. */
export const builtCli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

const ASKED_WITHIN_MS = 1000;
const KEPT_RECORDS = 2000;

/** By the name of the flag, without its dashes. */
export type Flags = Readonly<Record<string, string | number>>;

export interface LogRecord {
  readonly level: string;
  /** ISO 8601. */
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Rollcall<Status> extends Program {
  readonly adminUrl: string;
  /** The latest records, of all its runs. */
  readonly log: readonly LogRecord[];
  status(): Promise<Status>;
}

export const startWatchdog = (flags: Flags, cli = builtCli): Promise<Rollcall<WatchdogStatus>> =>
  startRollcall('watchdog', flags, cli);

/** @param launcher a program and its first words, where another one is to run it. */
export const startBalancer = (
  flags: Flags,
  launcher: readonly string[] = [],
  cli = builtCli,
): Promise<Rollcall<BalancerStatus>> => startRollcall('balancer', flags, cli, launcher);

async function startRollcall<Status>(
  subcommand: string,
  flags: Flags,
  cli: string,
  launcher: readonly string[] = [],
): Promise<Rollcall<Status>> {
  const admin = flags['admin'] ?? `127.0.0.1:${await freePort()}`;
  const adminUrl = `http://${admin}`;
  const log: LogRecord[] = [];
  const command = [process.execPath, cli, subcommand, ...asArguments({ ...flags, admin })];
  const [first = process.execPath, ...words] = [...launcher, ...command];

  const program = await startProgram({
    name: flags['key'] ? `${subcommand} of ${flags['key']}` : subcommand,
    command: {
      program: first,
      args: words,
      // Colours and warnings of whoever runs this would get between the JSON.
      env: withoutOptions(process.env),
      onLine(line) {
        const record = parseRecord(line);
        if (record) log.push(record);
        if (log.length > KEPT_RECORDS) log.shift();
      },
    },
    ready: async () => {
      const { status, body } = await httpGet(`${adminUrl}/-/healthy`, ASKED_WITHIN_MS);
      return status === 200 || `${status} ${body}`;
    },
  });

  return Object.assign(program, {
    adminUrl,
    log,
    async status() {
      const { body } = await httpGet(`${adminUrl}/status`, ASKED_WITHIN_MS);
      return JSON.parse(body) as Status;
    },
  });
}

function asArguments(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** The flags given are the whole configuration: nothing comes in by the environment. */
function withoutOptions(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !name.startsWith('ROLLCALL_') && name !== 'NODE_OPTIONS',
    ),
  );
}

function parseRecord(line: string): LogRecord | undefined {
  try {
    const record: unknown = JSON.parse(line);
    return record instanceof Object ? (record as LogRecord) : undefined;
  } catch {
    return undefined;
  }
}
