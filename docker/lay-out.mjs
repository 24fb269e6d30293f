/**
 * `node docker/lay-out.mjs DIRECTORY`: lays out what the images take from the stage that builds: the
 * Node that runs this and the bundle, the libraries it has loaded, and an account without rights.
 */
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [out = ''] = process.argv.slice(2);
if (out === '') throw new Error('usage: node docker/lay-out.mjs DIRECTORY');

const take = (/** @type {string} */ from, /** @type {string} */ to) => {
  mkdirSync(dirname(join(out, to)), { recursive: true });
  cpSync(from, join(out, to), { recursive: true, dereference: true });
};

take(process.execPath, 'rollcall/bin/node');
take('docker/rollcall', 'rollcall/bin/rollcall');
chmodSync(join(out, 'rollcall/bin/rollcall'), 0o755);
take('dist', 'rollcall/lib/rollcall');
take('LICENSE', 'rollcall/lib/rollcall/LICENSE');

// What is loaded is what it needs, under the names by which it is looked for.
const { sharedObjects } = /** @type {{ sharedObjects: readonly string[] }} */ (
  process.report.getReport()
);
const libraries = sharedObjects.filter((path) => path.startsWith('/') && path.includes('.so'));
if (libraries.length === 0) throw new Error('this Node tells of no library');
for (const path of libraries) take(path, join('libraries', path));

mkdirSync(join(out, 'accounts'));
const account = (/** @type {string} */ name, /** @type {string} */ line) =>
  writeFileSync(join(out, 'accounts', name), `${line}\n`);
account('passwd', 'rollcall:x:65532:65532:rollcall:/:/sbin/nologin');
account('group', 'rollcall:x:65532:');
account('nsswitch.conf', 'hosts: files dns');
