/**
 * `npm run build [-- DIRECTORY]`: bundles src to dist, libraries included, one file for each command beside what
 * they share, so that what ships needs nothing installed and a watchdog loads nothing of the
 * balancer. Types are checked elsewhere (`npm run check`).
 *
 * dist is made anew beside the old one and put in its place whole: no stale files, and nobody who
 * runs it meanwhile sees half of it.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { licencesOf } from './bundle/licences.mjs';
import { apart, defined, replaced } from './bundle/replaced.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const target = process.argv[2] ?? 'dist';
const began = new Date();
// Beside it: nothing can be renamed into another file system.
const stage = mkdtempSync(join(dirname(target), '.dist-'));
try {
  const made = join(stage, 'new');
  await build(made);
  const entry = join(made, 'cli.js');
  chmodSync(entry, 0o755);
  // A source that was saved meanwhile is newer than what was made of it.
  utimesSync(entry, began, began);
  if (existsSync(target)) renameSync(target, join(stage, 'old'));
  renameSync(made, target);
} finally {
  rmSync(stage, { recursive: true, force: true });
}

/** @param {string} directory */
async function build(directory) {
  await using bundle = await rolldown({
    input: { cli: 'src/cli.ts', ...apart },
    platform: 'node',
    plugins: [replaced()],
    transform: { define: defined },
    // A name that a library does not offer would be found out only when it is called.
    onLog(level, log, report) {
      report(log.code === 'EVAL' || level !== 'warn' ? level : 'error', log);
    },
  });
  const { output } = await bundle.write({
    dir: directory,
    // To import node:http as a module reads all it offers, and that loads a second, built-in undici.
    format: 'cjs',
    chunkFileNames: '[name].js',
    // Names stay, so that a stack trace can be read.
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  });
  const chunks = output.filter((one) => one.type === 'chunk');
  const foreign = chunks
    .flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
    .filter((name) => !isBuiltin(name) && !chunks.some(({ fileName }) => fileName === name));
  if (foreign.length > 0) throw new Error(`not in the bundle: ${foreign.join(', ')}`);

  for (const { fileName } of chunks) asciiOnly(join(directory, fileName));
  for (const path of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.liquid')) cpSync(join('src', path), join(directory, basename(path)));
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "commonjs" }\n');
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
  writeFileSync(join(directory, 'THIRD-PARTY-LICENCES'), licencesOf(modules));
}

/** A single character beyond Latin-1 makes V8 keep the whole text with two bytes for each. */
function asciiOnly(/** @type {string} */ path) {
  const text = readFileSync(path, 'utf8');
  const escaped = text.replaceAll(/[\u0080-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  if (escaped !== text) writeFileSync(path, escaped);
}
