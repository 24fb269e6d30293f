/**
 * Nothing that this process starts or makes outlives it, however it ends, kill -9 included.
 *
 * One small shell per process reads a pipe whose other end only this process holds. It is told
 * which process groups run and which directories were made; when the pipe ends it kills the groups
 * and removes the directories. A parent-death signal (`setpriv --pdeathsig`) would be Linux's own
 * way, but it reaches only the direct child: the workers of an apache or nginx would live on and
 * keep its port.
 */
import { type ChildProcess, spawn } from 'node:child_process';

const SCRIPT = `
trap '' HUP INT TERM
groups=
while read -r kind what; do
  case $kind in
    groups) groups=$what ;;
    directory) set -- "$@" "$what" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
[ $# -eq 0 ] || rm -rf -- "$@" || { sleep 0.2; rm -rf -- "$@"; }
`;

let guard: ChildProcess | undefined;
const groups = new Set<number>();

export function guardGroup(pid: number): void {
  groups.add(pid);
  tell(`groups ${[...groups].join(' ')}`);
}

/** To be called once the group is known to be gone: its number may then be given to another. */
export function releaseGroup(pid: number): void {
  groups.delete(pid);
  tell(`groups ${[...groups].join(' ')}`);
}

/** There is no release: removing a directory that is gone already does no harm. */
export function guardDirectory(path: string): void {
  tell(`directory ${path}`);
}

function tell(line: string): void {
  guard ??= startGuard();
  guard.stdin?.write(`${line}\n`);
}

function startGuard(): ChildProcess {
  // A session of its own: the Ctrl-C that ends this process must not end its guard first.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'guard'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  shell.on('error', fail);
  shell.stdin?.on('error', fail);
  shell.unref();
  const pipe: unknown = shell.stdin;
  if (pipe instanceof Object && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  return shell;
}

function fail(cause: Error): never {
  throw new Error('The guard that clears up after this process is gone', { cause });
}
