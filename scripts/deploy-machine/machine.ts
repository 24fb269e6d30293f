/**
 * A machine with a systemd and a docker engine of its own, in a container of this machine's engine: this
 * machine's programs and this checkout, both read-only, no network but its own, and what its engine
 * keeps on volumes, so that it can be rebooted. It goes at the end of its scope.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pipeline } from 'node:stream/promises';
import { docker } from '../container-etcd/docker.ts';
import { waitUntil } from '../parts/wait-until.ts';
import { checkoutPath, importTree } from '../systemd/machine-image.ts';
import { groundFiles, groundLinks } from './ground.ts';

const CALLED_WITHIN_MS = 120_000;
const BOOTED_WITHIN_MS = 60_000;
const LOADED_WITHIN_MS = 120_000;

/** systemd's own word for an orderly end. */
const SHUT_DOWN = 'SIGRTMIN+3';
const shutDownWithinS = 90;

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Its cgroups are its own, but come read-only. */
const boot = [
  `for at in $(grep -o ' /sys/fs/cgroup[^ ]*' /proc/self/mounts); do`,
  `mount -o remount,bind,rw "$at"; done;`,
  `exec /usr/lib/systemd/systemd`,
].join(' ');

export interface Machine extends AsyncDisposable {
  /** What one command prints there; a status other than 0 is an error with its last words. */
  run(...command: readonly string[]): Promise<string>;
  /** What systemd knows of a unit: ActiveState, Result, MainPID, ... */
  unit(name: string): Promise<Readonly<Record<string, string>>>;
  /** What a unit has said, since this boot. */
  journal(unit: string): Promise<string>;
  put(path: string, content: string): Promise<void>;
  /** Gives images of this machine's engine to that of the machine. */
  load(...images: readonly string[]): Promise<void>;
  /** Shuts it down in order and boots it again. */
  reboot(): Promise<void>;
  /** Ends everything in it at once, and boots it again. */
  cutPower(): Promise<void>;
}

export async function bootMachine(): Promise<Machine> {
  await using stack = new AsyncDisposableStack();
  const host = process.env['DOCKER_HOST'];
  const call = { host, withinMs: CALLED_WITHIN_MS };
  const image = `rollcall-test/machine:${randomUUID()}`;
  await importTree(image, groundFiles, groundLinks);
  stack.defer(async () => void (await docker(call, 'image', 'rm', '--force', image)));
  const id = await docker(
    call,
    ...['run', '--detach', '--network', 'none', '--hostname', 'web1'],
    // SYS_PTRACE: to enter the PID namespace of a container that runs as somebody else.
    ...['--cap-add', 'SYS_ADMIN', '--cap-add', 'NET_ADMIN', '--cap-add', 'SYS_PTRACE'],
    '--cgroupns=private',
    ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
    ...['--tmpfs', '/run:exec', '--tmpfs', '/run/lock', '--tmpfs', '/tmp'],
    ...['--volume', '/var/lib/docker', '--volume', '/var/lib/containerd'],
    ...['--volume', '/usr:/usr:ro', '--volume', `${checkout}:${checkoutPath}:ro`],
    ...['--stop-signal', SHUT_DOWN, image, '/bin/sh', '-c', boot],
  );
  stack.defer(async () => void (await docker(call, 'rm', '--force', '--volumes', id)));

  const run = (...command: readonly string[]) => docker(call, 'exec', id, ...command);
  const booted = () =>
    waitUntil({ expected: 'its engine to answer', withinMs: BOOTED_WITHIN_MS, everyMs: 200 }, () =>
      run('docker', 'version').then(() => true as const, String),
    );
  await booted();
  const owned = stack.move();
  return {
    run,
    unit: async (name) => {
      const text = await run('systemctl', 'show', name);
      return Object.fromEntries(text.split('\n').map((line) => line.split(/=(.*)/s, 2)));
    },
    journal: (unit) => run('journalctl', '--no-pager', '--output=cat', '--boot', '--unit', unit),
    put: async (path, content) => {
      const write = 'mkdir -p "$(dirname "$0")" && printf %s "$1" >"$0"';
      await run('sh', '-c', write, path, content);
    },
    load: (...images) => load(id, images, host),
    reboot: async () => {
      await docker(call, 'restart', '--time', String(shutDownWithinS), id);
      await booted();
    },
    cutPower: async () => {
      await docker(call, 'kill', id);
      await docker(call, 'start', id);
      await booted();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function load(
  id: string,
  images: readonly string[],
  host: string | undefined,
): Promise<void> {
  const options = {
    signal: AbortSignal.timeout(LOADED_WITHIN_MS),
    env: { ...process.env, ...(host && { DOCKER_HOST: host }) },
  };
  const saved = spawn('docker', ['save', ...images], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const loaded = spawn('docker', ['exec', '--interactive', id, 'docker', 'load', '--quiet'], {
    ...options,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const [[status]] = await Promise.all([
    once(loaded, 'exit'),
    pipeline(saved.stdout, loaded.stdin),
  ]);
  if (status !== 0) throw new Error(`docker load ended with exit status ${status}`);
}
