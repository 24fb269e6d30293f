import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stageFile } from '../../src/lib/staged-file.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function scratch() {
  const directory = await temporaryDirectory();
  const at = (name: string) => join(directory.path, name);
  return { directory, at };
}

test('what is staged can be read at once, and is told from all else under any name', async () => {
  const { directory, at } = await scratch();
  await using _ = directory;
  const staged = await stageFile(at('staged'), 'new', 0o600);
  expect(await readFile(at('staged'), 'utf8')).toBe('new');
  await staged.synced;
  await writeFile(at('file'), 'old');
  expect(await staged.isAt(at('file'))).toBe(false);
  await rename(at('staged'), at('file'));
  expect(await staged.isAt(at('file'))).toBe(true);
  await expect(staged.isAt(at('staged'))).rejects.toThrow('ENOENT');
  await writeFile(at('file'), 'longer');
  expect(await staged.isAt(at('file'))).toBe(false);
});

test('the umask takes from the mode of a new file, and not from one that it takes over', async () => {
  const { directory, at } = await scratch();
  await using _ = directory;
  const before = process.umask(0o077);
  try {
    await (
      await stageFile(at('new'), '', 0o644)
    ).synced;
    const { uid, gid } = await stat(at('new'));
    const like = { uid, gid, mode: 0o664 };
    await (
      await stageFile(at('like'), '', 0o644, like)
    ).synced;
  } finally {
    process.umask(before);
  }
  expect((await stat(at('new'))).mode & 0o777).toBe(0o600);
  expect((await stat(at('like'))).mode & 0o777).toBe(0o664);
});

test('where it cannot be made, nothing is', async () => {
  const { directory, at } = await scratch();
  await using _ = directory;
  await expect(stageFile(at('gone/staged'), '', 0o644)).rejects.toThrow('ENOENT');
  await mkdir(at('staged'));
  await expect(stageFile(at('staged'), '', 0o644)).rejects.toThrow(at('staged'));
  expect(await readdir(directory.path)).toEqual(['staged']);
});

test('whoever throws it away need not wait for it', async () => {
  const { directory, at } = await scratch();
  await using _ = directory;
  for (let round = 0; round < 20; round += 1) await stageFile(at('staged'), 'x', 0o644);
  expect(await readdir(directory.path)).toEqual(['staged']);
});
