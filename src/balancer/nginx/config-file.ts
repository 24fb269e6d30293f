/**
 * nginx.conf on disk, replaced whole or not at all. The new text is staged beside
 * the file (a rename across file systems is no rename), with its mode and owner,
 * synced, and renamed over it; the file before it stays as the previous one, so that
 * it can be put back. Whatever fails leaves the file as it was.
 */
import type { Stats } from 'node:fs';
import { copyFile, type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CodedError, codeOf, messageOf } from '../../lib/errors.ts';
import { generationOf } from '../render/render.ts';

export interface ConfigFile {
  readonly stagedPath: string;
  /** The generation that the file holds; undefined when there is none of ours, or none. */
  generation(): Promise<string | undefined>;
  text(): Promise<string | undefined>;
  /** Writes and syncs the staged file. */
  stage(text: string): Promise<void>;
  discard(): Promise<void>;
  /**
   * Renames the staged file over the file. The file before it is kept as the previous one
   * if it holds `served`, the generation that nginx is known to have taken. One that was
   * written or changed by somebody else is kept beside it as FILE.before-rollcall.
   */
  commit(served: string | undefined): Promise<void>;
  /** Puts the previous file back if it holds `generation`. @returns whether it did. */
  restore(generation: string): Promise<boolean>;
}

const newFileMode = 0o644;

/** What to tell an operator for the errors that have a cause outside of rollcall. */
const explained: Readonly<Record<string, string>> = {
  EBUSY: 'the file is a mount point of its own: mount its directory instead',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'no permission to write in the directory',
  EPERM: 'no permission to write in the directory',
};

export function configFile(path: string): ConfigFile {
  const directory = dirname(path);
  const stagedPath = join(directory, `.${basename(path)}.rollcall-staged`);
  const previousPath = join(directory, `.${basename(path)}.rollcall-previous`);
  const foreignPath = `${path}.before-rollcall`;
  let seen: { readonly print: string; readonly generation: string | undefined } | undefined;

  const text = async () => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  };

  return {
    stagedPath,
    text,

    generation: async () => {
      const print = await fingerprint(path);
      if (seen?.print !== print) {
        seen = { print, generation: generationOf((await text()) ?? '') };
      }
      return seen.generation;
    },

    stage: (content) =>
      explaining(path, async () => {
        const before = await stat(path).catch(() => undefined);
        await rm(stagedPath, { force: true });
        await using file = await open(stagedPath, 'wx', (before?.mode ?? newFileMode) & 0o777);
        if (before) {
          await file.chmod(before.mode & 0o777);
          await keepOwner(file, before);
        }
        await file.writeFile(content);
        await file.sync();
      }),

    discard: () => rm(stagedPath, { force: true }),

    commit: (served) =>
      explaining(path, async () => {
        const before = await text();
        const held = before === undefined ? undefined : generationOf(before);
        if (before !== undefined && held === undefined) await copyFile(path, foreignPath);
        if (held !== undefined && held === served) await copyFile(path, previousPath);
        await rename(stagedPath, path);
        await syncDirectory(directory);
      }),

    restore: async (generation) => {
      const previous = await readFile(previousPath, 'utf8').catch(() => '');
      if (generationOf(previous) !== generation) return false;
      await explaining(path, async () => {
        await rename(previousPath, path);
        await syncDirectory(directory);
      });
      return true;
    },
  };
}

/** Without root a file cannot be given away; that it is then ours does not keep nginx from reading it. */
async function keepOwner(file: FileHandle, { uid, gid }: Stats): Promise<void> {
  const made = await file.stat();
  if (made.uid === uid && made.gid === gid) return;
  await file.chown(uid, gid).catch((error: unknown) => {
    if (codeOf(error) !== 'EPERM') throw error;
  });
}

const absent = 'absent';

/** Changes whenever the content may have changed; costs one system call. */
async function fingerprint(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return absent;
    throw error;
  }
}

/** Without it, a rename can be undone by a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}

async function explaining(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const why = explained[codeOf(error) ?? ''];
    throw new CodedError(
      'WRITE_FAILED',
      `${path}: ${why ? `${why} (${messageOf(error)})` : messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}
