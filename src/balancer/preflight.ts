/**
 * Refuses, before anything is started or changed, what could never work: no nginx to
 * check with, or a directory that cannot be written.
 */
import { access, constants, lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, messageOf, UsageError } from '../lib/errors.ts';
import { failureOf, runCommand } from '../lib/run-command.ts';

const versionTimeoutMs = 5000;

/** @throws UsageError naming the option, what was given and what is accepted. */
export async function refuseUnusable(settings: {
  readonly nginxConf: string;
  readonly nginxBin: string;
  readonly dryRun: boolean;
}): Promise<void> {
  const { nginxConf, nginxBin } = settings;
  if (settings.dryRun) return;
  const failure = failureOf(await runCommand([nginxBin, '-v'], versionTimeoutMs));
  if (failure !== undefined) {
    throw new UsageError(
      `--nginx-bin ${nginxBin}: ${failure}: give the nginx program that will load the file`,
    );
  }
  await refuseUnwritable(nginxConf);
}

/** @throws UsageError when nginx.conf could not be replaced there. */
export async function refuseUnwritable(nginxConf: string): Promise<void> {
  if ((await stat(nginxConf).catch(() => undefined))?.isDirectory()) {
    throw new UsageError(
      `--nginx-conf ${nginxConf}: it is a directory: give the file in it, such as ${nginxConf}/nginx.conf`,
    );
  }
  if ((await lstat(nginxConf).catch(() => undefined))?.isSymbolicLink()) {
    throw new UsageError(
      `--nginx-conf ${nginxConf}: it is a symbolic link, which the swap would replace: give the file itself`,
    );
  }
  const directory = dirname(nginxConf);
  try {
    await access(directory, constants.W_OK | constants.X_OK);
    if (!(await stat(directory)).isDirectory()) throw new Error('it is not a directory');
  } catch (error) {
    const reason =
      codeOf(error) === 'ENOENT'
        ? 'it does not exist'
        : `${messageOf(error)}${await whose(directory, codeOf(error))}`;
    throw new UsageError(
      `--nginx-conf ${nginxConf}: ${directory} cannot be written (${reason}): give a file in a writable directory`,
    );
  }
}

/** Of a volume that was made for another user, that is all there is to know. */
async function whose(directory: string, code: string | undefined): Promise<string> {
  if (code !== 'EACCES') return '';
  const owner = (await stat(directory).catch(() => undefined))?.uid;
  const own = process.geteuid?.();
  return owner === undefined || own === undefined
    ? ''
    : `; it is of uid ${owner}, this of uid ${own}`;
}
