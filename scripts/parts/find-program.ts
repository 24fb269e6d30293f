/**
 * Where a program is installed. Servers live in sbin, which is not on everybody's PATH.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const ALSO = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export function findProgram(...names: readonly string[]): string {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...ALSO];
  for (const name of names) {
    const found = directories.map((directory) => join(directory, name)).find(isExecutable);
    if (found) return found;
  }
  throw new Error(`Not installed: ${names.join(' or ')}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
