/**
 * A release as it was, out of the package that was made of it: what runs is what ran then. It is
 * unpacked into a directory of its own, which goes with the scope.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeScratch } from '../parts/scratch.ts';

const UNPACKED_WITHIN_MS = 10_000;

const run = promisify(execFile);

/** Where packages of earlier releases are kept. */
export const releasesDirectory = fileURLToPath(
  new URL('../../test/fixtures/releases/', import.meta.url),
);

export interface Release extends AsyncDisposable {
  /** Its command line. */
  readonly cli: string;
}

/** @param version as its package names it. */
export async function unpackRelease(version: string): Promise<Release> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeScratch(`release-${version}`));
  const file = join(releasesDirectory, `rollcall-${version}.tgz`);
  await run('tar', ['-xzf', file, '-C', path], { timeout: UNPACKED_WITHIN_MS });
  const owned = stack.move();
  return {
    // In a package everything lies below this name.
    cli: join(path, 'package', 'dist', 'cli.js'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
