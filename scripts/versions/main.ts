/**
 * `node scripts/versions/main.ts COMMIT`: makes the package of the release that COMMIT is, and keeps it
 * where the tests of versions find it. The checkout stays as it is. The libraries in the bundle are
 * those that are installed now.
 */
import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makeScratch } from '../parts/scratch.ts';
import { releasesDirectory } from './release.ts';

const MADE_WITHIN_MS = 120_000;

const run = promisify(execFile);

const [commit] = process.argv.slice(2);
if (commit === undefined) throw new Error('usage: node scripts/versions/main.ts COMMIT');

await using scratch = await makeScratch('release');
const signal = AbortSignal.timeout(MADE_WITHIN_MS);
const archive = join(scratch.path, 'archive.tar');
const checkout = { cwd: scratch.path, signal };
await run('git', ['archive', '--output', archive, commit], { signal });
await run('tar', ['-xf', archive], checkout);
await symlink(resolve('node_modules'), join(scratch.path, 'node_modules'));
await run(process.execPath, ['scripts/build.mjs'], checkout);
const words = ['pack', '--ignore-scripts', '--pack-destination', releasesDirectory];
const { stdout } = await run('npm', words, checkout);
process.stdout.write(`${join(releasesDirectory, stdout.trim())}\n`);
