/**
 * One apache on loopback that serves a page naming itself on every path, and can be told to answer
 * 500 instead and back while it runs. It is started again on the same port.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apacheConf, type ApacheExtra } from './apache-conf.ts';
import { findProgram } from './find-program.ts';
import { httpGet } from './http-get.ts';
import { freePort } from './ports.ts';
import { type Program, startProgram } from './program.ts';
import { makeScratch } from './scratch.ts';

const ASKED_WITHIN_MS = 1000;

export interface Apache extends Program {
  readonly port: number;
  /** host:port, as it goes into a pool. */
  readonly address: string;
  readonly url: string;
  /** From now on every request is answered 500, or properly again. */
  failing(yes: boolean): Promise<void>;
}

export interface ApachePlan {
  readonly port?: number;
  readonly extra?: ApacheExtra;
}

export async function startApache(plan: ApachePlan = {}): Promise<Apache> {
  await using stack = new AsyncDisposableStack();
  const port = plan.port ?? (await freePort());
  const name = `apache-${port}`;
  const address = `127.0.0.1:${port}`;
  const url = `http://${address}/`;

  const scratch = stack.use(await makeScratch(name));
  const failFlag = join(scratch.path, 'answer-500');
  const conf = join(scratch.path, 'apache.conf');
  await mkdir(join(scratch.path, 'pages'));
  await writeFile(
    join(scratch.path, 'pages', 'index.html'),
    `<!doctype html>\n<title>${name}</title>\n<h1>${name}</h1>\n`,
  );
  await writeFile(
    conf,
    apacheConf({ home: scratch.path, address, failFlag, ...(plan.extra && { extra: plan.extra }) }),
  );

  const program = stack.use(
    await startProgram({
      name,
      command: {
        program: findProgram('apache2', 'httpd'),
        args: ['-d', scratch.path, '-f', conf, '-DFOREGROUND'],
        cwd: scratch.path,
      },
      ready: async () => (await httpGet(url, ASKED_WITHIN_MS)).status > 0 || 'no answer',
      stopSignal: 'SIGWINCH',
    }),
  );

  const owned = stack.move();
  return Object.assign(program, {
    port,
    address,
    url,
    failing: (yes: boolean) => (yes ? writeFile(failFlag, '') : rm(failFlag, { force: true })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  });
}
