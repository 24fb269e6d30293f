// What `npm pack` makes runs alone: no library is installed with it, and none is looked for.
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { makeScratch } from '../../scripts/parts/scratch.ts';

const run = promisify(execFile);
const preparedWithinMs = 60_000;

let prefix = '';
let installed = '';

const rollcall = (...args: readonly string[]) =>
  run(join(prefix, 'bin', 'rollcall'), args).then(
    ({ stdout }) => ({ status: 0, stdout, stderr: '' }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      status: error.code,
      stdout: error.stdout,
      stderr: error.stderr,
    }),
  );

beforeAll(async () => {
  const scratch = await makeScratch('package');
  const tree = join(scratch.path, 'tree');
  await mkdir(tree);
  await run(process.execPath, ['scripts/build.mjs', join(tree, 'dist')]);
  await cp('package.json', join(tree, 'package.json'));
  const packed = ['pack', '--ignore-scripts', '--pack-destination', scratch.path];
  await run('npm', packed, { cwd: tree });
  prefix = join(scratch.path, 'prefix');
  const file = join(scratch.path, `rollcall-${manifest.version}.tgz`);
  await run('npm', ['install', '--global', '--offline', '--prefix', prefix, file]);
  installed = join(prefix, 'lib/node_modules/rollcall');
  return () => scratch[Symbol.asyncDispose]();
}, preparedWithinMs);

test('it brings no package but itself, and their licences', async () => {
  expect(await readdir(join(prefix, 'lib/node_modules'))).toEqual(['rollcall']);
  expect(await readdir(installed)).not.toContain('node_modules');
  const licences = await readFile(join(installed, 'dist/THIRD-PARTY-LICENCES'), 'utf8');
  for (const name of ['@grpc/grpc-js', 'etcd3', 'pino', 'undici']) {
    expect(licences.split('\n').some((line) => line.startsWith(`${name} `))).toBe(true);
  }
});

test('each command loads, and says which version it is', async () => {
  expect(await rollcall('--version')).toMatchObject({ stdout: `rollcall ${manifest.version}\n` });
  for (const command of ['watchdog', 'balancer']) {
    expect(await rollcall(command, '--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`Usage: rollcall ${command}`),
    });
  }
});

test('the built-in templates ship: the balancer gets as far as asking etcd', async () => {
  const nowhere = ['--etcd', 'http://127.0.0.1:1', '--nginx-conf', join(prefix, 'nginx.conf')];
  const { status, stderr } = await rollcall('balancer', '--dry-run', ...nowhere);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^rollcall: .*ECONNREFUSED 127\.0\.0\.1:1/);
});

test('a stack trace names the functions as the source does', async () => {
  const text = await readFile(join(installed, 'dist/watchdog.js'), 'utf8');
  expect(text).toContain('runWatchdog');
});

test('a terminal gets readable lines', async () => {
  // `script` gives it one; the watchdog ends at once, refused a port of its own.
  const words = [
    'watchdog',
    '--key',
    '/test/a',
    '--address',
    '127.0.0.1:1',
    '--etcd',
    'http://127.0.0.1:1',
  ];
  const command = [`${prefix}/bin/rollcall`, ...words].join(' ');
  const { stdout } = await run('timeout', ['2', 'script', '-qec', command, '/dev/null']).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toMatch(/INFO.*watching/);
});

test('the watchdog loads nothing of the balancer', async () => {
  const list = join(prefix, 'loaded.cjs');
  await writeFile(
    list,
    'process.on("exit", () => console.log(Object.keys(require.cache).join("\\n")))',
  );
  const args = ['--require', list, join(installed, 'dist/cli.js'), 'watchdog', '--help'];
  const { stdout } = await run(process.execPath, args);
  expect(stdout).toContain('/dist/watchdog.js');
  expect(stdout).not.toContain('/dist/balancer.js');
  const texts = stdout.split('\n').filter((line) => line.endsWith('.js'));
  for (const path of texts) expect(await readFile(path, 'utf8')).not.toContain('liquidjs');
});

test('every file is plain ASCII: one other character doubles what V8 keeps of it', async () => {
  const directory = join(installed, 'dist');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.js'));
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'latin1')));
  expect(names.filter((_name, n) => /[\u0080-\u00ff]/.test(texts[n] ?? ''))).toEqual([]);
});
