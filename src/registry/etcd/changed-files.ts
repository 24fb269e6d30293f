/**
 * Reads credentials when their files have changed, and only then: with hundreds of sidecars on a
 * host, reading certificates over and over would be most of what they do. A look costs one `stat`
 * for each file.
 */
import { stat } from 'node:fs/promises';
import { type EtcdFiles, type ReadCredentials, readCredentials } from './credentials.ts';

export class ChangedFiles {
  readonly #files: EtcdFiles;
  #read: { readonly stamps: string; readonly again: boolean } | undefined;

  constructor(files: EtcdFiles) {
    this.#files = files;
  }

  /** @returns undefined: they are as they were. */
  async readIfChanged(): Promise<ReadCredentials | undefined> {
    // Before the reading: what changes meanwhile has other stamps at the next look.
    const stamps = await stampsOf(this.#files);
    const again = stamps !== undefined && stamps === this.#read?.stamps;
    // Once more is enough: a file can change twice within one tick of its time stamps.
    if (again && this.#read?.again) return undefined;
    const read = await readCredentials(this.#files);
    // What cannot be used may be mended where no stamp shows it.
    this.#read = read.ok && stamps !== undefined ? { stamps, again } : undefined;
    return read;
  }
}

/** Another text for other files, whoever put them there and how; undefined: one is missing. */
async function stampsOf(files: EtcdFiles): Promise<string | undefined> {
  try {
    const paths = Object.values(files).filter((path) => path !== undefined);
    const all = await Promise.all(paths.map((path) => stat(path, { bigint: true })));
    return all
      .map(({ dev, ino, size, mtimeNs, ctimeNs }) => [dev, ino, size, mtimeNs, ctimeNs].join())
      .join(';');
  } catch {
    return undefined;
  }
}
