/**
 * A Docker engine: the one that answers, or one of our own in a temporary directory. Ours has a
 * bridge of its own and leaves the packet filter alone; published ports go through its proxy.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../parts/find-program.ts';
import { startProgram } from '../parts/program.ts';
import { makeScratch } from '../parts/scratch.ts';
import { installPrograms } from '../setup/apt.mjs';
import { docker } from './docker.ts';

const ANSWERS_WITHIN_MS = 5000;
const STOPPED_WITHIN_MS = 20_000;
const LINKED_WITHIN_MS = 5000;

const run = promisify(execFile);

export interface Engine extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** In words. */
  readonly origin: string;
}

export async function useEngine(): Promise<Engine> {
  const present = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  const version = await versionOf(present).catch(() => undefined);
  if (version) {
    return { host: present, origin: `${present}, ${version}`, async [Symbol.asyncDispose]() {} };
  }
  await installDocker();
  return startEngine();
}

async function startEngine(): Promise<Engine> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeScratch('engine'));
  // Where / is no shared mount the engine mounts its own directory, and leaves it mounted.
  stack.defer(() => unmountBelow(path));
  const bridge = stack.use(await makeBridge());
  const host = `unix://${join(path, 'docker.sock')}`;
  const dataRoot = join(path, 'data');
  await mkdir(dataRoot);
  const program = await startProgram({
    name: 'dockerd',
    command: {
      program: findProgram('dockerd'),
      args: [
        ...['--host', host, '--pidfile', join(path, 'docker.pid')],
        ...['--data-root', dataRoot, '--exec-root', join(path, 'exec')],
        ...['--bridge', bridge.name],
        ...['--iptables=false', '--ip-forward=false', '--ip-masq=false'],
      ],
    },
    ready: async () => (await versionOf(host)) !== '' || 'no version',
  });
  // Killed outright it would leave its containers behind.
  stack.defer(async () => void (await program.stop(STOPPED_WITHIN_MS)));
  const origin = `our own, ${await versionOf(host)}`;
  const owned = stack.move();
  return { host, origin, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** An interface's name has 15 characters at most; two runs at a time must not share one. */
async function makeBridge(): Promise<{ readonly name: string } & AsyncDisposable> {
  const name = `rollcall${process.pid % 1_000_000}`;
  const network = `10.213.${process.pid % 256}.1/24`;
  await ip('link', 'add', name, 'type', 'bridge');
  await using undo = new AsyncDisposableStack();
  undo.defer(() => ip('link', 'delete', name));
  await ip('address', 'add', network, 'dev', name);
  await ip('link', 'set', name, 'up');
  const owned = undo.move();
  return { name, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function unmountBelow(path: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n');
  const points = mounts.map((line) => line.split(' ')[1] ?? '').filter((at) => at.startsWith(path));
  for (const point of points.toReversed()) await run('umount', ['--lazy', point]);
}

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', args, { timeout: LINKED_WITHIN_MS });
}

async function installDocker(): Promise<void> {
  const wanted = [
    { name: 'docker', commands: ['dockerd'], debian: 'docker.io', service: 'docker' },
    { name: 'ip', commands: ['ip'], debian: 'iproute2' },
  ];
  const missing = wanted.filter(({ commands }) => !isFound(commands));
  if (missing.length > 0) await installPrograms(missing);
}

function isFound(commands: readonly string[]): boolean {
  try {
    return findProgram(...commands) !== '';
  } catch {
    return false;
  }
}

function versionOf(host: string): Promise<string> {
  const call = { host, withinMs: ANSWERS_WITHIN_MS };
  return docker(call, 'version', '--format', 'Docker {{.Server.Version}}');
}
