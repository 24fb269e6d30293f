/**
 * One nginx in the foreground on a configuration file that somebody else writes, ready when it
 * answers where it is said to; and a directory for that file in which nginx needs nothing outside.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { httpGet } from './http-get.ts';
import { type Program, startProgram } from './program.ts';
import { makeScratch, type Scratch } from './scratch.ts';

const ASKED_WITHIN_MS = 1000;
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

export interface NginxPlan {
  readonly conf: string;
  /** Any answer here, whatever its status, means that nginx serves. */
  readonly url: string;
}

export function startNginx({ conf, url }: NginxPlan): Promise<Program> {
  return startProgram({
    name: 'nginx',
    command: { program: nginxProgram(), args: ['-c', conf, '-g', 'daemon off;'] },
    ready: async () => (await httpGet(url, ASKED_WITHIN_MS)).status > 0 || 'no answer',
    stopSignal: 'SIGQUIT',
  });
}

export function nginxProgram(): string {
  return findProgram('nginx');
}

export interface NginxHome extends Scratch {
  /** Not there yet. It is to include conf.d/*.conf in its http block. */
  readonly conf: string;
  readonly pidFile: string;
  readonly errorLog: string;
}

export async function makeNginxHome(): Promise<NginxHome> {
  const scratch = await makeScratch('nginx');
  const inHome = (...names: string[]) => join(scratch.path, ...names);
  await mkdir(inHome('conf.d'));
  // Where a body that is too long for memory goes: the built-in places are root's.
  const paths = TEMPORARY.map((name) => `${name}_temp_path ${inHome(`${name}_temp`)};\n`);
  await writeFile(inHome('conf.d', 'temporary.conf'), paths.join(''));
  return {
    ...scratch,
    conf: inHome('nginx.conf'),
    pidFile: inHome('nginx.pid'),
    errorLog: inHome('error.log'),
  };
}
