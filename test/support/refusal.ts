/**
 * What every command line that is asked wrongly has in common: exit status 2; one line on standard
 * error that says what was given and what is accepted instead; nothing on standard output; no file
 * of nginx touched, no connection to etcd made.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { makeNginxHome } from '../../scripts/parts/nginx.ts';
import { type Ran, runCli, type Surroundings } from './cli.ts';
import { printOf } from './directory.ts';

/** A row of a table: a title, what is added to a command line that is right, what the line says. */
export type Wrong = readonly [
  title: string,
  given: readonly string[],
  ...says: readonly [string, ...string[]],
];

/** Stands for etcd and for the directory of nginx, and sees whether anybody comes. */
export interface Untouched extends AsyncDisposable {
  readonly etcdUrl: string;
  /** The command that is right but for what is added: of a flag given twice the last counts. */
  readonly watchdog: readonly string[];
  readonly balancer: readonly string[];
  readonly run: (args: readonly string[], by?: Surroundings) => Promise<Outcome>;
}

interface Outcome extends Ran {
  readonly connections: number;
  readonly filesTouched: boolean;
}

/** To be found in a run: refused, on one line that holds all of these words. */
export function refusal(...says: readonly string[]) {
  const words = says.map((part) => `(?=.*${literally(part)})`).join('');
  return {
    status: 2,
    stdout: '',
    stderr: expect.stringMatching(new RegExp(`^${words}rollcall: .+\\n$`)) as unknown,
    connections: 0,
    filesTouched: false,
  };
}

export async function startUntouched(): Promise<Untouched> {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await makeNginxHome());
  await writeFile(home.conf, '# as the operator left it\n');

  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  stack.defer(() => void listener.close());
  await once(listener, 'listening');
  const etcdUrl = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const before = await printOf(home.path);

  const owned = stack.move();
  return {
    etcdUrl,
    watchdog: [
      ...['watchdog', '--etcd', etcdUrl],
      ...['--key', '/test/apache-8001', '--address', '127.0.0.1:8001'],
    ],
    balancer: [
      ...['balancer', '--etcd', etcdUrl],
      ...['--nginx-conf', home.conf, '--nginx-pid', home.pidFile],
    ],
    run: async (args, by = {}) => {
      const ran = await runCli(args, by);
      const after = await printOf(home.path);
      return { ...ran, connections, filesTouched: !isDeepStrictEqual(before, after) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const literally = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
