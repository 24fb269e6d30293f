/**
 * A small machine with a systemd of its own, in a container of the engine: this machine's programs
 * and this checkout, both read-only, and no network but its own loopback. Its image holds nothing
 * but the files it is given, so there is nothing to pull; it goes at the end of its scope.
 */
import { docker } from '../container-etcd/docker.ts';
import { waitUntil } from '../parts/wait-until.ts';
import { type Files, makeMachineImage } from './machine-image.ts';

const CALLED_WITHIN_MS = 15_000;
const BOOTED_WITHIN_MS = 20_000;

export interface Machine extends AsyncDisposable {
  /** What one command prints there; a status other than 0 is an error with its last words. */
  run(...command: readonly string[]): Promise<string>;
  /** What systemd knows of a unit: ActiveState, StatusText, ... */
  unit(name: string): Promise<Readonly<Record<string, string>>>;
}

/** @param files beside those of every machine. */
export async function bootMachine(files: Files): Promise<Machine> {
  await using stack = new AsyncDisposableStack();
  const call = { host: process.env['DOCKER_HOST'], withinMs: CALLED_WITHIN_MS };
  const image = stack.use(await makeMachineImage(files));
  const id = await docker(call, 'run', '--detach', '--network', 'none', ...image.words);
  stack.defer(async () => void (await docker(call, 'rm', '--force', '--volumes', id)));

  const machine = {
    run: (...command: readonly string[]) => docker(call, 'exec', id, ...command),
    unit: async (name: string) => {
      const text = await docker(call, 'exec', id, 'systemctl', 'show', name);
      return Object.fromEntries(text.split('\n').map((line) => line.split(/=(.*)/s, 2)));
    },
  };
  await waitUntil({ expected: 'systemd to have booted', withinMs: BOOTED_WITHIN_MS }, async () => {
    const state = await machine.run('systemctl', 'is-system-running').catch(String);
    return state === 'running' || state;
  });
  const owned = stack.move();
  return { ...machine, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
