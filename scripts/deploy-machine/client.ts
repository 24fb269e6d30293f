/**
 * Asks nginx on the machine all along, from there, one POST after the other, each on a connection of its
 * own: nginx tries none of them at a second backend, so each that fails shows.
 */
import { waitUntil } from '../parts/wait-until.ts';
import { checkoutPath } from '../systemd/machine-image.ts';
import type { Machine } from './machine.ts';

const STARTED_WITHIN_MS = 20_000;

export interface Client extends AsyncDisposable {
  /** Ends it: how many were asked, and why some failed. */
  stop(): Promise<{ readonly asked: number; readonly failures: string }>;
}

const script = `
const { request } = require('node:http');
const { appendFileSync, writeFileSync } = require('node:fs');
let asked = 0;
let stopped = false;
process.on('SIGTERM', () => { stopped = true; });
const ask = () => new Promise((done) => {
  const failed = (why) => {
    appendFileSync('/run/client.failures', new Date().toISOString() + ' ' + why + '\\n');
    done();
  };
  const options = { method: 'POST', agent: false, timeout: 5000 };
  const sent = request('http://127.0.0.1/', options, (answer) => {
    answer.resume().on('end', () =>
      answer.statusCode === 200 ? done() : failed('status ' + answer.statusCode));
  });
  sent.on('error', (error) => failed(error.message));
  sent.on('timeout', () => sent.destroy(new Error('timeout')));
  sent.end('x');
});
(async () => {
  while (!stopped) {
    await ask();
    writeFileSync('/run/client.count', String(asked += 1));
    // A steady trickle: the machine has other things to do.
    await new Promise((done) => setTimeout(done, 5));
  }
})();
`;

export async function startClient(machine: Machine): Promise<Client> {
  const node = `${checkoutPath}/node_modules/.bin/node`;
  const textOf = (path: string) => machine.run('cat', path).catch(() => '');
  const asked = async () => Number(await textOf('/run/client.count'));
  await machine.put('/run/client.cjs', script);
  await machine.run('rm', '-f', '/run/client.failures', '/run/client.count');
  await machine.run('systemd-run', '--quiet', '--unit', 'client', node, '/run/client.cjs');
  await waitUntil(
    { expected: 'requests', withinMs: STARTED_WITHIN_MS, everyMs: 100 },
    async () => (await asked()) > 20 || 'few',
  );
  const end = () => machine.run('systemctl', 'stop', 'client').catch(String);
  return {
    stop: async () => {
      await end();
      return { asked: await asked(), failures: await textOf('/run/client.failures') };
    },
    [Symbol.asyncDispose]: async () => void (await end()),
  };
}
