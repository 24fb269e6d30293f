/**
 * What is in a directory, to the nanosecond: two prints are equal only where everything in it is
 * what it was, not written and not given another mode in between.
 */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export async function printOf(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { recursive: true });
  return await Promise.all(
    names.toSorted().map(async (name) => {
      const path = join(directory, name);
      const { mode, size, ino, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      const content = mode & 0o040_000n ? '' : await readFile(path, 'latin1');
      return [name, mode, size, ino, mtimeNs, ctimeNs, content].join(' ');
    }),
  );
}
