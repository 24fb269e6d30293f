/**
 * nginx.conf on disk, replaced whole or not at all. The new text is staged beside
 * the file (a rename across file systems is no rename), with its mode and owner,
 * synced, and renamed over it; the file before it stays as the previous one, so that
 * it can be put back. Whatever fails leaves the file as it was and nothing staged.
 */
import { copyFile, link, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../../lib/errors.ts';
import { type StagedFile, stageFile, syncDirectory } from '../../lib/staged-file.ts';
import { explaining } from '../../lib/write-failure.ts';
import { generationOf } from '../render/render.ts';

export interface ConfigFile {
  readonly path: string;
  readonly stagedPath: string;
  /** The generation that the file holds; undefined when there is none of ours, or none. */
  generation(): Promise<string | undefined>;
  text(): Promise<string | undefined>;
  /** Writes the staged file and begins to sync it: nginx can check it meanwhile. */
  stage(text: string): Promise<void>;
  discard(): Promise<void>;
  /**
   * Keeps the file that is about to be replaced: as the previous one if it holds `served`, the
   * generation that nginx is known to have taken; as FILE.before-rollcall if it was written or
   * changed by somebody else. It can be done while the staged file is being checked.
   */
  keep(served: string | undefined): Promise<void>;
  /** Renames the staged file over the file once it is synced, and the file before it is kept. */
  commit(served: string | undefined): Promise<Committed>;
  /** Puts the previous file back if it holds `generation`. @returns whether it did. */
  restore(generation: string): Promise<boolean>;
}

export interface Committed {
  /**
   * When a power cut can no longer bring back the file before it. Of no concern to a reload, which
   * reads the new one already; whoever calls the change done waits for it. It may be left alone.
   */
  readonly durable: Promise<void>;
}

/** What a file is known to hold, for as long as its fingerprint is this one. */
type Known = { readonly print: string } & (
  | { readonly generation: string | undefined }
  /** Written by us and not looked into: that is for when nothing is in a hurry. */
  | { readonly text: string }
);

const newFileMode = 0o644;

export function configFile(path: string): ConfigFile {
  const directory = dirname(path);
  const beside = (name: string) => join(directory, `.${basename(path)}.rollcall-${name}`);
  const stagedPath = beside('staged');
  const previousPath = beside('previous');
  const foreignPath = `${path}.before-rollcall`;
  let known: Known | undefined;
  let staged: { readonly text: string; readonly file: StagedFile } | undefined;
  /** The print of the file that has been kept. */
  let kept: string | undefined;

  const text = async () => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  };

  /** Reads the file only where it has changed. */
  const look = async () => {
    const print = await fingerprint(path);
    if (known?.print === print && 'generation' in known) return known;
    const content = known?.print === print && 'text' in known ? known.text : await text();
    const looked = { print, generation: generationOf(content ?? '') };
    known = looked;
    return looked;
  };

  const keep = (served: string | undefined) =>
    explaining(path, async () => {
      const { print, generation } = await look();
      if (generation === undefined && print !== absent) await copyFile(path, foreignPath);
      if (generation !== undefined && generation === served) await keepAs(previousPath, path);
      // To give it a second name has changed its print.
      kept = await fingerprint(path);
      if (known?.print === print) known = { print: kept, generation };
    });

  const discard = () => {
    staged = undefined;
    kept = undefined;
    return rm(stagedPath, { force: true });
  };

  return {
    path,
    stagedPath,
    text,
    discard,
    generation: async () => (await look()).generation,

    stage: (content) =>
      explaining(path, async () => {
        staged = undefined;
        const before = await stat(path).catch(() => undefined);
        const file = await stageFile(stagedPath, content, newFileMode, before);
        staged = { text: content, file };
      }),

    keep,

    commit: (served) =>
      explaining(path, async () => {
        const next = staged;
        try {
          await next?.file.synced;
          // By whoever has changed it since it was kept.
          if (kept === undefined || kept !== (await fingerprint(path))) await keep(served);
          await rename(stagedPath, path);
        } catch (error) {
          await discard().catch(() => {});
          throw error;
        }
        staged = undefined;
        kept = undefined;
        known = undefined;
        const durable = explaining(path, async () => {
          await syncDirectory(directory);
          // The print first: what is written after it changes the print.
          const print = await fingerprint(path);
          if (next && (await next.file.isAt(path))) known = { print, text: next.text };
        });
        durable.catch(() => {});
        return { durable };
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

const unlinkable = ['EPERM', 'EXDEV', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** By a second name for the same file, which takes no time; by a copy where that is not allowed. */
async function keepAs(previousPath: string, path: string): Promise<void> {
  await rm(previousPath, { force: true });
  try {
    await link(path, previousPath);
  } catch (error) {
    if (!unlinkable.includes(codeOf(error) ?? '')) throw error;
    await copyFile(path, previousPath);
  }
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
