/**
 * One etcd on loopback, ready when it says that it is healthy. It is started again on the same
 * ports and data; `wipe` empties the data while it does not run.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { httpGet } from './http-get.ts';
import { freePort } from './ports.ts';
import { type Program, startProgram } from './program.ts';
import { makeScratch } from './scratch.ts';

const ASKED_WITHIN_MS = 1000;

export interface Etcd extends Program {
  readonly url: string;
  readonly version: string;
  wipe(): Promise<void>;
}

export interface EtcdPlan {
  /** Kept at the end; without it the data is temporary. */
  readonly dataDir?: string;
  readonly clientPort?: number;
  readonly peerPort?: number;
}

export async function startEtcd(plan: EtcdPlan = {}): Promise<Etcd> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await makeScratch('etcd'));
  const dataDir = plan.dataDir ?? join(scratch.path, 'data');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const url = `http://127.0.0.1:${plan.clientPort ?? (await freePort())}`;
  const peerUrl = `http://127.0.0.1:${plan.peerPort ?? (await freePort())}`;

  const program = stack.use(
    await startProgram({
      name: 'etcd',
      command: {
        program: findProgram('etcd'),
        args: [
          ...['--name', 'etcd', '--data-dir', dataDir],
          ...['--listen-client-urls', url, '--advertise-client-urls', url],
          ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
          ...['--initial-cluster', `etcd=${peerUrl}`, '--log-level', 'warn'],
        ],
        cwd: scratch.path,
      },
      ready: async () => {
        const { body } = await httpGet(`${url}/health`, ASKED_WITHIN_MS);
        return body.includes('"health":"true"') || body;
      },
    }),
  );
  const { body } = await httpGet(`${url}/version`, ASKED_WITHIN_MS);
  const { etcdserver: version } = JSON.parse(body) as { etcdserver: string };

  const owned = stack.move();
  return Object.assign(program, {
    url,
    version,
    async wipe() {
      if (program.pid !== undefined) throw new Error('etcd runs: stop it before wiping its data');
      await rm(dataDir, { recursive: true, force: true });
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  });
}
