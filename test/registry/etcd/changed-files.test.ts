import { rename, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { ChangedFiles } from '../../../src/registry/etcd/changed-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let files: { readonly user: string; readonly password: string };
let path = '';
let changed = new ChangedFiles({});

/** Whole seconds, so that it can be put back as it was. */
const old = new Date('2025-01-01T00:00:00Z');

/** What the look found: the password, the reason, or nothing. */
async function look() {
  const read = await changed.readIfChanged();
  if (!read) return 'not read';
  return read.ok ? read.value.login?.password : read.reason;
}

beforeEach(async () => {
  const directory = await temporaryDirectory();
  ({ path } = directory);
  files = { user: join(path, 'user'), password: join(path, 'password') };
  await writeFile(files.user, 'sidecar');
  await writeFile(files.password, 'first');
  await utimes(files.password, old, old);
  changed = new ChangedFiles(files);
  return () => directory[Symbol.asyncDispose]();
});

async function settle() {
  // Looks are seconds apart: what was written before them has other time stamps.
  await sleep(20);
  for (const _ of [1, 2]) await look();
  expect(await look()).toBe('not read');
}

test('files are read, once more for the tick of their time stamps, and then no more', async () => {
  expect(await look()).toBe('first');
  expect(await look()).toBe('first');
  for (let n = 0; n < 5; n += 1) expect(await look()).toBe('not read');
});

test.each<readonly [string, string, () => Promise<void>]>([
  ['another size', 'longer', () => writeFile(files.password, 'longer')],
  ['another time', 'other', () => writeFile(files.password, 'other')],
  [
    'another file of the same size and time, moved there',
    'moved',
    async () => {
      const beside = join(path, 'beside');
      await writeFile(beside, 'moved');
      await utimes(beside, old, old);
      await rename(beside, files.password);
    },
  ],
  [
    'the same file with its old time put back',
    'again',
    async () => {
      await writeFile(files.password, 'again');
      await utimes(files.password, old, old);
    },
  ],
])('%s is read', async (_, password, change) => {
  await settle();
  await change();
  expect(await look()).toBe(password);
  await settle();
});

test('what a link leads to is looked at, as in a mounted secret', async () => {
  for (const version of ['one', 'two']) await writeFile(join(path, version), `pass${version}`);
  await unlink(files.password);
  await symlink(join(path, 'one'), files.password);
  await settle();
  await symlink(join(path, 'two'), join(path, 'next'));
  await rename(join(path, 'next'), files.password);
  expect(await look()).toBe('passtwo');
});

test('what cannot be used is read at each look, until it can', async () => {
  await settle();
  await writeFile(files.password, '');
  for (let n = 0; n < 4; n += 1) expect(await look()).toBe(`${files.password}: it is empty`);
  await unlink(files.password);
  for (let n = 0; n < 4; n += 1) expect(await look()).toContain('ENOENT');
  await writeFile(files.password, 'mended');
  expect(await look()).toBe('mended');
  await settle();
});
