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
  /** Serves https and asks clients for a certificate. All in PEM. */
  readonly tls?: EtcdTls;
  /** More words for its command line, such as --auth-token. */
  readonly args?: readonly string[];
}

export interface EtcdTls {
  readonly cert: string;
  readonly key: string;
  /** Vouches for clients. */
  readonly clientCa: string;
}

export async function startEtcd(plan: EtcdPlan = {}): Promise<Etcd> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await makeScratch('etcd'));
  const dataDir = plan.dataDir ?? join(scratch.path, 'data');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { tls, args = [] } = plan;
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${plan.clientPort ?? (await freePort())}`;
  // Only clients of the data need a certificate: health and version are asked for here.
  const metricsUrl = tls ? `http://127.0.0.1:${await freePort()}` : url;
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
          ...(tls ? [...tlsArgs(tls), '--listen-metrics-urls', metricsUrl] : []),
          ...args,
        ],
        cwd: scratch.path,
      },
      ready: async () => {
        const { body } = await httpGet(`${metricsUrl}/health`, ASKED_WITHIN_MS);
        return body.includes('"health":"true"') || body;
      },
    }),
  );
  const { body } = await httpGet(`${peerUrl}/version`, ASKED_WITHIN_MS);
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

const tlsArgs = ({ cert, key, clientCa }: EtcdTls) => [
  ...['--cert-file', cert, '--key-file', key],
  ...['--client-cert-auth', '--trusted-ca-file', clientCa],
];
