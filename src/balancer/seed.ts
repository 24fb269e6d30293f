/**
 * Makes a directory ready for nginx to start on before there is a balancer or an etcd: the files of
 * nginx's own configuration, and a first nginx.conf without backends. It never replaces an nginx.conf
 * that anybody has written; killed half-way, the next run completes it.
 */
import { cp, lstat, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf, UsageError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import type { ConfigFile } from './nginx/config-file.ts';
import { refuseUnwritable } from './preflight.ts';
import { copyPrefix, planSeed } from './seed-plan.ts';

export interface Seed {
  readonly file: Pick<ConfigFile, 'path' | 'text' | 'stage' | 'commit'>;
  /** A directory with nginx's own configuration. */
  readonly from: string;
  /** The file without backends. */
  readonly first: string;
}

const shownNames = 3;

/** nginx's own; it would answer for the host "localhost" in place of the pool. */
const welcomePage = 'conf.d/default.conf';

/**
 * @returns what was done, in words.
 * @throws UsageError when the directory holds something else, with nothing changed.
 */
export async function seed({ file, from, first }: Seed): Promise<string> {
  const directory = dirname(file.path);
  if (await isSame(from, directory)) {
    throw new UsageError(
      `--from ${from} is the directory of --nginx-conf ${file.path}: give the one that nginx was installed with, and another to fill`,
    );
  }
  const pristine = join(from, 'nginx.conf');
  const given = await readFile(pristine, 'utf8').catch((error: unknown) => {
    throw new UsageError(
      `--from ${from}: ${messageOf(error)}: give a directory with nginx's own configuration, such as /etc/nginx`,
    );
  });
  const source = await readdir(from);
  if (!source.includes('mime.types')) {
    throw new UsageError(
      `--from ${from}: it has no mime.types: give a directory with the whole of nginx's own configuration, such as /etc/nginx`,
    );
  }
  // What is somebody else's is said to be that, and not that it cannot be written.
  const plan = planSeed(await readdir(directory).catch(() => []), source);
  if (plan.kind === 'refuse') throw new UsageError(refusal(file.path, plan.foreign));
  await refuseUnwritable(file.path);
  if (plan.kind === 'fill') await copyAll(plan.missing, from, directory);

  const text = await file.text();
  const isFirst = text === undefined || text === given;
  if (isFirst) {
    await file.stage(first);
    const { durable } = await file.commit(undefined);
    await durable;
  }
  const copied = plan.kind === 'fill' ? plan.missing.length : 0;
  const filled = copied > 0 ? `filled from ${from}` : 'kept as it is';
  const written = isFirst
    ? `a first ${basename(file.path)} without backends`
    : 'its nginx.conf kept';
  return `${directory}: ${filled}, ${written}`;
}

/** By whatever names, links among them: there, each nginx.conf would be "as it was installed". */
async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [one, other].map((path) => stat(path, { bigint: true }).catch(() => undefined)),
  );
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
}

/** Each whole or not at all, after a power cut too: whoever finds nginx.conf there never looks again. */
async function copyAll(names: readonly string[], from: string, to: string): Promise<void> {
  for (const name of names) {
    const copy = join(to, copyPrefix + name);
    await rm(copy, { recursive: true, force: true });
    const filter = (path: string) => path !== join(from, welcomePage);
    await cp(join(from, name), copy, { recursive: true, verbatimSymlinks: true, filter });
    await syncAll(copy);
    await rename(copy, join(to, name));
  }
}

async function syncAll(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isDirectory()) {
    for (const name of await readdir(path)) await syncAll(join(path, name));
  }
  if (!found.isDirectory() && !found.isFile()) return;
  await using file = await open(path);
  await file.sync();
}

function refusal(path: string, foreign: readonly string[]): string {
  const names = foreign.slice(0, shownNames).map((name) => printable(name, 40));
  const more = foreign.length > shownNames ? ` and ${foreign.length - shownNames} more` : '';
  return (
    `--nginx-conf ${path}: ${dirname(path)} holds ${names.join(', ')}${more} and no configuration of nginx: ` +
    'give it a directory, or a volume, of its own'
  );
}
