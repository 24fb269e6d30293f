/**
 * An image made of what is installed on this machine: programs with the libraries they link against,
 * each where it is installed, other files and directories, and texts. It takes the place of a public
 * image that cannot be had, with the same paths in it.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makeScratch } from '../parts/scratch.ts';
import type { BuildClient } from './client.ts';

const MADE_WITHIN_MS = 120_000;
const PATH = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const run = promisify(execFile);

export interface MadeImage {
  readonly name: string;
  /** Paths of this machine: programs and what else is to be at the same place in the image. */
  readonly programs: readonly string[];
  /** Where else something of this machine goes: its path here, its path there. */
  readonly copies?: readonly (readonly [from: string, to: string])[];
  readonly texts?: Readonly<Record<string, string>>;
  /** Those of the texts that can be run. */
  readonly executable?: readonly string[];
  /** Where a link is, to what it points. */
  readonly links?: Readonly<Record<string, string>>;
  readonly directories?: readonly string[];
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[];
}

export async function makeImage(client: BuildClient, image: MadeImage): Promise<void> {
  await using scratch = await makeScratch('image');
  const at = (path: string) => join(scratch.path, 'root', path);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(at(`/usr/${name}`), { recursive: true });
    await symlink(`usr/${name}`, at(name));
  }
  for (const path of [
    '/etc',
    '/tmp',
    '/run',
    '/root',
    '/usr/local/bin',
    '/var/cache',
    '/var/log',
  ]) {
    await mkdir(at(path), { recursive: true });
  }
  await chmod(at('/tmp'), 0o1777);
  await symlink('/run', at('/var/run'));
  for (const path of image.directories ?? []) await mkdir(at(path), { recursive: true });
  const put = async (from: string, to: string) => {
    await mkdir(dirname(at(to)), { recursive: true });
    await cp(from, at(to), { recursive: true, dereference: true, force: true });
  };
  for (const program of image.programs) await put(program, program);
  for (const [from, to] of image.copies ?? []) await put(from, to);
  const linking = [...image.programs, ...(image.copies ?? []).map(([from]) => from)];
  for (const library of await librariesOf(linking)) await put(library, library);
  for (const [path, text] of Object.entries(image.texts ?? {})) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), text);
  }
  for (const [path, target] of Object.entries(image.links ?? {})) {
    await mkdir(dirname(at(path)), { recursive: true });
    await symlink(target, at(path));
  }
  for (const path of image.executable ?? []) await chmod(at(path), 0o755);
  const dockerfile = ['FROM scratch', 'COPY root/ /', PATH, ...image.changes, ''].join('\n');
  await writeFile(join(scratch.path, 'Dockerfile'), dockerfile);
  await run(client.program, ['build', '--tag', image.name, scratch.path], {
    env: client.env,
    timeout: MADE_WITHIN_MS,
  });
}

/** Under the names by which they are looked for. What is no program links against nothing. */
async function librariesOf(paths: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const path of paths) {
    const { stdout } = await run('ldd', [await realpath(path)]).catch(() => ({ stdout: '' }));
    for (const library of stdout.match(/\/\S+/g) ?? []) found.add(library);
  }
  return found;
}
