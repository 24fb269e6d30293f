/**
 * `npm run build`: compiles src to dist, with the templates beside the code that reads them.
 *
 * dist is made anew beside the old one and put in its place whole: no stale files, and nobody who
 * runs it meanwhile sees half of it.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const began = new Date();
const stage = mkdtempSync('.dist-');
try {
  process.exitCode = build();
} finally {
  rmSync(stage, { recursive: true, force: true });
}

/** @returns {number} the exit status */
function build() {
  const made = join(stage, 'new');
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', made],
    { stdio: 'inherit' },
  );
  if (status !== 0) return status ?? 1;
  cpSync('src', made, {
    recursive: true,
    filter: (path) => extname(path) === '' || extname(path) === '.liquid',
  });
  const entry = join(made, 'cli.js');
  chmodSync(entry, 0o755);
  // A source that was saved meanwhile is newer than what was made of it.
  utimesSync(entry, began, began);
  if (existsSync('dist')) renameSync('dist', join(stage, 'old'));
  renameSync(made, 'dist');
  return 0;
}
