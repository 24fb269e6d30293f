/**
 * A machine with a systemd and addresses of its own, in a container of the engine: this machine's
 * programs and this checkout, both read-only. Its image holds nothing but the files it is given, so
 * there is nothing to pull; it goes at the end of its scope.
 */
import { docker } from '../container-etcd/docker.ts';
import { waitUntil } from '../parts/wait-until.ts';
import { type Files, makeMachineImage } from '../systemd/machine-image.ts';
import type { Network } from './network.ts';

/** A drain waits for up to 30 s, and the stop of an apache as long again. */
const CALLED_WITHIN_MS = 90_000;
const BOOTED_WITHIN_MS = 60_000;

/** One interface of a machine. */
export interface Plug {
  readonly network: Network;
  readonly address: string;
}

export interface Boot {
  readonly hostname: string;
  readonly plugs: readonly [Plug, ...Plug[]];
  readonly files: Files;
}

export interface Machine extends AsyncDisposable {
  readonly hostname: string;
  /** What one command prints there; a status other than 0 is an error with its last words. */
  run(...command: readonly string[]): Promise<string>;
  /** The same of a line of shell. */
  shell(line: string): Promise<string>;
  /** What systemd knows of each unit: ActiveState, StatusText, ... */
  units(...names: readonly string[]): Promise<readonly Readonly<Record<string, string>>[]>;
  unplug(network: Network): Promise<void>;
  /** With the address that it had. */
  plugIn(network: Network): Promise<void>;
  /** Everything in it ends at once, and nothing answers at its address any more. */
  cutPower(): Promise<void>;
}

export async function bootMachine({ hostname, plugs, files }: Boot): Promise<Machine> {
  await using stack = new AsyncDisposableStack();
  const call = { host: process.env['DOCKER_HOST'], withinMs: CALLED_WITHIN_MS };
  const image = stack.use(await makeMachineImage(files));
  const [first, ...more] = plugs;
  const id = await docker(
    call,
    ...['create', '--hostname', hostname, '--network', first.network.name, '--ip', first.address],
    ...image.words,
  );
  stack.defer(async () => void (await docker(call, 'rm', '--force', '--volumes', id)));
  const plugIn = async ({ network, address }: Plug) =>
    void (await docker(call, 'network', 'connect', '--ip', address, network.name, id));
  for (const plug of more) await plugIn(plug);
  await docker(call, 'start', id);

  const exec = (...command: readonly string[]) => docker(call, 'exec', id, ...command);
  await waitUntil({ expected: 'systemd to have booted', withinMs: BOOTED_WITHIN_MS }, async () => {
    const state = await exec('systemctl', 'is-system-running').catch(String);
    return state === 'running' || state;
  });
  const owned = stack.move();
  return {
    hostname,
    run: exec,
    shell: (line) => exec('sh', '-c', line),
    units: async (...names) => {
      const text = await exec('systemctl', 'show', ...names);
      return text.split('\n\n').map((one) => {
        return Object.fromEntries(one.split('\n').map((line) => line.split(/=(.*)/s, 2)));
      });
    },
    unplug: async ({ name }) => void (await docker(call, 'network', 'disconnect', name, id)),
    plugIn: async (network) => {
      const plug = plugs.find((one) => one.network === network);
      if (!plug) throw new Error(`${hostname} was never on ${network.name}`);
      await plugIn(plug);
    },
    cutPower: async () => void (await docker(call, 'kill', id)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
