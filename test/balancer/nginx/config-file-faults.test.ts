// A disk that does not take what is to be written: said in words, the old file as it was, nothing
// of the new one left. Each with nginx.conf in a directory of its own kind.
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type TestContext } from 'vitest';
import { configFile } from '../../../src/balancer/nginx/config-file.ts';
import { messageOf } from '../../../src/lib/errors.ts';
import { waitUntil } from '../../../scripts/parts/wait-until.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const old = 'events {}\n';

interface Mounted extends AsyncDisposable {
  readonly path: string;
  /** Mounts it again with these options. */
  readonly remount: (options: string) => Promise<void>;
}

/** A small file system in memory. */
async function mounted(context: TestContext, sizeKib: number): Promise<Mounted> {
  const directory = await temporaryDirectory();
  const path = directory.path;
  const mount = (options: string) =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', path]).status === 0;
  if (!mount(`size=${sizeKib}k`)) {
    await directory.remove();
    context.skip('mounting is not allowed here');
  }
  return {
    path,
    // Not while a file is still being synced.
    remount: async (options) => {
      const done = { expected: `mounted ${options}`, withinMs: 2000 };
      await waitUntil(done, () => mount(`remount,${options}`) || 'refused');
    },
    [Symbol.asyncDispose]: async () => {
      spawnSync('umount', [path]);
      await directory.remove();
    },
  };
}

/** Why the work failed, and what is then in the directory and in the file. */
async function outcome(directory: string, work: () => Promise<unknown>) {
  const reason = await work().then(() => 'no failure', messageOf);
  const text = await readFile(join(directory, 'nginx.conf'), 'utf8');
  return { reason, left: await readdir(directory), text };
}

/** A failure with these words, and nginx.conf all that is in its directory, as it was. */
const cleanly = (directory: string, words: string) => ({
  reason: expect.stringContaining(`${join(directory, 'nginx.conf')}: ${words}`) as unknown,
  left: ['nginx.conf'],
  text: old,
});

test('a full disk', async (context) => {
  await using disk = await mounted(context, 64);
  const path = join(disk.path, 'nginx.conf');
  await writeFile(path, old);
  const file = configFile(path);
  // Half of it fits.
  const tooLong = () => file.stage('x'.repeat(128 * 1024));
  expect(await outcome(disk.path, tooLong)).toEqual(cleanly(disk.path, 'the disk is full'));
  await file.stage('x'.repeat(16 * 1024));
  const { durable } = await file.commit(undefined);
  // Until then the disk is busy.
  await durable;
  expect((await stat(path)).size).toBe(16 * 1024);
});

test('a file system that is read-only from the start', async (context) => {
  await using disk = await mounted(context, 64);
  const path = join(disk.path, 'nginx.conf');
  await writeFile(path, old);
  await disk.remount('ro');
  const words = 'the file system is read-only';
  const stage = () => configFile(path).stage('x');
  expect(await outcome(disk.path, stage)).toEqual(cleanly(disk.path, words));
});

test('a file system that becomes read-only between staging and committing', async (context) => {
  await using disk = await mounted(context, 64);
  const path = join(disk.path, 'nginx.conf');
  await writeFile(path, old);
  const file = configFile(path);
  await file.stage('x');
  await disk.remount('ro');
  await expect(file.commit(undefined)).rejects.toThrow('the file system is read-only');
  expect(await readFile(path, 'utf8')).toBe(old);
  // What is left there cannot be removed; the next one is staged over it.
  await disk.remount('rw');
  await file.stage('new');
  await file.commit(undefined);
  expect(await readFile(path, 'utf8')).toBe('new');
});

test('a directory in which nothing may be written', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'nginx.conf');
  await writeFile(path, old);
  await chmod(directory.path, 0o555);
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    const words = 'no permission to write in the directory';
    const stage = () => configFile(path).stage('x');
    expect(await outcome(directory.path, stage)).toEqual(cleanly(directory.path, words));
  } finally {
    if (root) process.seteuid?.(0);
  }
});

test('a commit that fails leaves nothing staged', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'nginx.conf');
  const file = configFile(path);
  await file.stage('x');
  // In the way of the rename, whoever made it.
  await mkdir(path);
  await expect(file.commit(undefined)).rejects.toThrow(`${path}: `);
  expect(await readdir(directory.path)).toEqual(['nginx.conf']);
});
