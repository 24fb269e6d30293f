/**
 * A host with all the units for one without containers, and what a test asks of it. Nothing of them is started.
 */
import { readFile } from 'node:fs/promises';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { bootMachine } from '../../scripts/systemd/machine.ts';
import { checkoutPath } from '../../scripts/systemd/machine-image.ts';
import { hostFiles } from './host-units.ts';

/** TTLs, restarts after a second, a start of Node, and a machine with other work. */
const settledWithinMs = 45_000;

export const journal = 'journalctl --no-pager --output=cat';
export const node = `${checkoutPath}/node_modules/.bin/node`;

/** @param ports those of the apaches whose watchdogs have an environment file. */
export async function bootHost(ports: readonly number[]) {
  await using stack = new AsyncDisposableStack();
  const environment = await readFile('units/env/watchdog.env', 'utf8');
  const envFiles = ports.map((port) => [
    `/etc/rollcall/watchdog-${port}.env`,
    environment
      .replaceAll('8001', String(port))
      .replace('ROLLCALL_ADDRESS=', 'ROLLCALL_ADDRESS=127.0.0.1'),
  ]);
  const machine = stack.use(
    await bootMachine({
      ...(await hostFiles()),
      ...(Object.fromEntries(envFiles) as Record<string, string>),
      '/etc/rollcall/balancer.env': await readFile('units/env/balancer.env', 'utf8'),
      '/etc/nginx/nginx.conf': await readFile('/etc/nginx/nginx.conf', 'utf8'),
      '/etc/nginx/mime.types': await readFile('/etc/nginx/mime.types', 'utf8'),
      '/etc/mime.types': 'text/html html\n',
    }),
  );
  await machine.run('systemd-sysusers');

  const systemctl = (...words: readonly string[]) => machine.run('systemctl', ...words);
  const shell = (command: string) => machine.run('sh', '-c', command);
  const keys = async () =>
    (await shell('ETCDCTL_API=3 etcdctl get --prefix --keys-only /test/').catch(() => 'no etcd'))
      .split('\n')
      .filter(Boolean);
  const fetched = (url: string) =>
    machine
      .run(
        node,
        '-e',
        `fetch('${url}').then(async (a) => console.log(a.status, await a.text()), () => console.log('none'))`,
      )
      .catch(String);
  const at = async (name: string, what: string) => Number((await machine.unit(name))[what]);
  const pid = async (name: string) => (await machine.unit(name))['MainPID'];
  const state = async (name: string) => (await machine.unit(name))['ActiveState'];

  async function until(expected: string, seen: () => Promise<unknown>, wanted: unknown) {
    await waitUntil({ expected, withinMs: settledWithinMs, everyMs: 200 }, async () => {
      const now = JSON.stringify(await seen());
      if (now === JSON.stringify(wanted)) return true;
      const log = await shell(`${journal} --lines=8`).catch(String);
      return `${now}\n${log}`;
    });
  }
  const inRotation = (...of: readonly number[]) =>
    until(
      `${of.join(' and ')} in rotation`,
      async () => {
        const words = ['--in-rotation', '--timeout', '5s'];
        const waits = of.map((port) =>
          machine.run(
            node,
            `${checkoutPath}/dist/cli.js`,
            'wait',
            `/test/apache-${port}`,
            ...words,
          ),
        );
        return (await Promise.allSettled(waits)).map(({ status }) => status);
      },
      of.map(() => 'fulfilled'),
    );

  const owned = stack.move();
  return {
    ...{ machine, systemctl, shell, keys, fetched, at, pid, state, until, inRotation },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
