/**
 * One program as Debian trixie packages it, from the mirror that this machine has its own packages from.
 * Nothing is installed and no list of the machine is touched: apt is given sources, lists and a cache
 * of its own, and checks signatures by Debian's keyring, which knows trixie since bookworm 12.1.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../src/lib/errors.ts';
import { makeScratch } from '../parts/scratch.ts';
import { mirrorsIn } from './mirrors.ts';

const SUITE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const FETCHED_WITHIN_MS = 120_000;
const PRINTED_WITHIN_MS = 10_000;

const run = promisify(execFile);

export interface Packaged {
  /** Of the package. */
  readonly name: string;
  /** The program in it, without the first slash. */
  readonly program: string;
}

/**
 * @param to where the program is put.
 * @throws with what apt said of each mirror.
 */
export async function fetchFromDebian(packaged: Packaged, to: string): Promise<void> {
  const mirrors = await machinesMirrors();
  if (mirrors.length === 0) throw new Error('apt has no mirror of Debian');
  const failures: string[] = [];
  for (const mirror of mirrors) {
    try {
      return await fetchFrom(mirror, packaged, to);
    } catch (error) {
      failures.push(`${mirror}: ${wordsOf(error)}`);
    }
  }
  throw new Error(failures.join('; '));
}

async function machinesMirrors(): Promise<readonly string[]> {
  const release = await readFile('/etc/os-release', 'utf8');
  const [, codename = 'stable'] = /^VERSION_CODENAME=(\S+)$/m.exec(release) ?? [];
  const { stdout } = await run('apt-get', ['update', '--print-uris'], {
    timeout: PRINTED_WITHIN_MS,
  });
  return mirrorsIn(stdout, codename);
}

async function fetchFrom(mirror: string, { name, program }: Packaged, to: string): Promise<void> {
  await using scratch = await makeScratch('debian-package');
  const at = (part: string) => join(scratch.path, part);
  await Promise.all(['lists/partial', 'cache', 'root'].map((part) => makeDirectory(at(part))));
  const source = ['Types: deb', `URIs: ${mirror}`, `Suites: ${SUITE}`, 'Components: main'];
  await writeFile(at('one.sources'), [...source, `Signed-By: ${KEYRING}`, ''].join('\n'));
  const options = [
    ...['-o', `Dir::Etc::sourcelist=${at('one.sources')}`, '-o', 'Dir::Etc::sourceparts=-'],
    ...['-o', `Dir::State::lists=${at('lists')}`, '-o', `Dir::Cache=${at('cache')}`],
    // Its own user could not write where this one is; and a list that is missing is no success.
    ...['-o', 'APT::Sandbox::User=root', '-o', 'APT::Update::Error-Mode=any', '--quiet=2'],
  ];
  const signal = AbortSignal.timeout(FETCHED_WITHIN_MS);
  const called = { cwd: scratch.path, signal, env: { ...process.env, LC_ALL: 'C' } };
  await run('apt-get', [...options, 'update'], called);
  await run('apt-get', [...options, 'download', name], called);
  const deb = (await readdir(scratch.path)).find((file) => file.endsWith('.deb'));
  if (!deb) throw new Error(`apt-get downloaded no ${name}`);
  await run('dpkg-deb', ['--extract', at(deb), at('root')], called);
  await copyFile(at(`root/${program}`), to);
}

const makeDirectory = (path: string) => mkdir(path, { recursive: true });

/** What apt says of it; and what to do about a key that Debian's keyring of this machine lacks. */
function wordsOf(error: unknown): string {
  const { stderr = '' } = error as { readonly stderr?: string };
  const lines = stderr.split('\n').filter((line) => /^[EW]: /.test(line));
  if (lines.length === 0) return messageOf(error);
  const isUnknown = stderr.includes('NO_PUBKEY');
  const mend = isUnknown
    ? ` (apt-get install debian-archive-keyring brings the key of ${SUITE})`
    : '';
  return `${lines.join(' ').slice(0, 500).replace(/\.+$/, '')}${mend}`;
}
