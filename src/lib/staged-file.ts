/**
 * The first half of replacing a file whole or not at all: the new content in a file beside
 * it, to be renamed over it once it is synced. When it cannot be written, nothing is left of
 * it. (write-file-atomic 8.0.0 renames what a full disk let it write half of, and says that
 * all is well.)
 */
import type { BigIntStats, Stats } from 'node:fs';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { codeOf } from './errors.ts';

export interface StagedFile {
  /** Until then a power cut may leave a file without its content. It can be read meanwhile. */
  readonly synced: Promise<void>;
  /** Whether what is at the path is the very file that was staged, with nothing written since. */
  isAt(path: string): Promise<boolean>;
}

/** What a new file takes over from the one before it. */
export type Likeness = Pick<Stats, 'mode' | 'uid' | 'gid'>;

/**
 * Takes the place of what is at `path`.
 * @param newMode for a file that is like none before it; the umask takes from it.
 * @throws the system's error, with nothing left there.
 */
export async function stageFile(
  path: string,
  content: string,
  newMode: number,
  like?: Likeness,
): Promise<StagedFile> {
  const mode = (like?.mode ?? newMode) & 0o777;
  const file = await openNew(path, mode);
  try {
    if (like) await makeLike(file, mode, like);
    await file.writeFile(content);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(path, { force: true });
    throw error;
  }
  const synced = syncAndClose(file);
  const done = synced.then(() => {});
  // Whoever throws it away does not wait for it.
  done.catch(() => {});
  return {
    synced: done,
    isAt: async (at) => isSame(await synced, await stat(at, { bigint: true })),
  };
}

/** In the place of whatever is there; never through a link that somebody put there. */
async function openNew(path: string, mode: number): Promise<FileHandle> {
  try {
    return await open(path, 'wx', mode);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    await rm(path, { force: true });
    return await open(path, 'wx', mode);
  }
}

/** @returns what it then is: where it has been since is told by that. */
async function syncAndClose(file: FileHandle): Promise<BigIntStats> {
  try {
    await file.sync();
    return await file.stat({ bigint: true });
  } finally {
    await file.close();
  }
}

/** Without root a file cannot be given away; that it is then ours keeps nobody from reading it. */
async function makeLike(file: FileHandle, mode: number, { uid, gid }: Likeness): Promise<void> {
  const made = await file.stat();
  // The umask took from the mode.
  if ((made.mode & 0o777) !== mode) await file.chmod(mode);
  if (made.uid === uid && made.gid === gid) return;
  await file.chown(uid, gid).catch((error: unknown) => {
    if (codeOf(error) !== 'EPERM') throw error;
  });
}

const isSame = (a: BigIntStats, b: BigIntStats) =>
  a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;

/** Without it, a rename can be undone by a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}
