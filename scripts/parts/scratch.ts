/**
 * A temporary directory that is removed at the end of its scope, or by the guard when this process
 * ends first. Other users may read it: apache and nginx leave root for an account of their own.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardDirectory } from './guard.ts';

export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

export async function makeScratch(name: string): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), `rollcall-${name}-`));
  guardDirectory(path);
  await chmod(path, 0o755);
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}
