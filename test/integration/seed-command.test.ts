/**
 * `rollcall seed`, as it ships: a directory on which the real nginx starts before there is a balancer
 * or an etcd, and nothing of anybody else's replaced.
 */
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { nginxProgram, startNginx } from '../../scripts/parts/nginx.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { makeScratch } from '../../scripts/parts/scratch.ts';
import { generationOf } from '../../src/balancer/render/render.ts';
import { runCli } from '../support/cli.ts';
import { httpServer } from '../support/local-server.ts';

async function makePlace() {
  const scratch = await makeScratch('seed');
  const inside = (...names: string[]) => join(scratch.path, ...names);
  const [from, target] = [inside('pristine'), inside('volume')];
  for (const path of [join(from, 'conf.d'), target, inside('temp')])
    await mkdir(path, { recursive: true });
  await writeFile(join(from, 'nginx.conf'), '# as it was packaged\n');
  await writeFile(join(from, 'mime.types'), 'types { text/html html; }\n');
  await writeFile(join(from, 'conf.d', 'more.conf'), '# more\n');
  // nginx's welcome page.
  await writeFile(join(from, 'conf.d', 'default.conf'), 'server { server_name localhost; }\n');
  const conf = join(target, 'nginx.conf');
  const [listen, confirm] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const rendered = [
    ...['--listen', listen, '--confirm-listen', confirm, '--confirm-url', `http://${confirm}/`],
    ...['--nginx-pid', inside('nginx.pid'), '--nginx-temp', inside('temp')],
    ...['--error-log', 'stderr', '--access-log', 'off'],
  ];
  const words = ['seed', '--from', from, '--nginx-conf', conf, ...rendered];
  const run = (...more: string[]) => runCli([...words, ...more]);
  const runThrough = (through: readonly string[]) => runCli(words, { through });
  return {
    ...{
      from,
      target,
      conf,
      run,
      runThrough,
      inside,
      url: `http://${listen}/`,
      confirmUrl: `http://${confirm}/`,
    },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

const done = (says: string) => ({ status: 0, stderr: '', stdout: expect.stringContaining(says) });
const refused = (says: string) => ({ status: 2, stdout: '', stderr: expect.stringMatching(says) });

test('an empty directory is filled, and nginx serves 503 from it, and its generation', async () => {
  await using place = await makePlace();
  expect(await place.run()).toEqual(done('a first nginx.conf without backends'));
  expect(await readFile(join(place.target, 'conf.d', 'more.conf'), 'utf8')).toBe('# more\n');
  expect(await readdir(join(place.target, 'conf.d'))).toEqual(['more.conf']);

  await using nginx = await startNginx({ conf: place.conf, url: place.url });
  expect(nginx.pid).toBeGreaterThan(0);
  expect((await httpGet(place.url, 2000)).status).toBe(503);
  const generation = generationOf(await readFile(place.conf, 'utf8'));
  expect((await httpGet(place.confirmUrl, 2000)).body).toContain(`"generation":"${generation}"`);
  // --nginx-temp: nothing of it is where nginx was built to.
  expect(await readdir(place.inside('temp'))).toEqual(
    expect.arrayContaining(['client-body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']),
  );
});

test('seeded twice, nothing is written any more', async () => {
  await using place = await makePlace();
  await place.run();
  const before = await stat(place.conf, { bigint: true });
  expect(await place.run()).toEqual(done('kept as it is, its nginx.conf kept'));
  expect((await stat(place.conf, { bigint: true })).ctimeNs).toBe(before.ctimeNs);
});

test('a copy that was interrupted is completed', async () => {
  await using place = await makePlace();
  await mkdir(join(place.target, '.rollcall-seed-conf.d'));
  await writeFile(join(place.target, 'mime.types'), 'types {}\n');
  expect(await place.run()).toEqual(done('filled'));
  expect((await readdir(place.target)).toSorted()).toEqual(
    ['conf.d', 'mime.types', 'nginx.conf', 'nginx.conf.before-rollcall'].toSorted(),
  );
  // What was there already may be somebody's.
  expect(await readFile(join(place.target, 'mime.types'), 'utf8')).toBe('types {}\n');
});

test('a source in which a balancer has run is copied without its lock and its saved pool', async () => {
  await using place = await makePlace();
  await using lock = await httpServer(() => {}, join(place.from, '.nginx.conf.rollcall-lock'));
  expect(lock.url).toBe('');
  await writeFile(join(place.from, '.nginx.conf.rollcall-state'), '{}');
  expect(await place.run()).toEqual(done('filled'));
  expect(await readdir(place.target)).not.toContainEqual(expect.stringContaining('rollcall-lock'));
  expect(await readdir(place.target)).not.toContainEqual(expect.stringContaining('rollcall-state'));
});

test('the nginx.conf that an engine copied from the image is replaced, and kept', async () => {
  await using place = await makePlace();
  await writeFile(place.conf, '# as it was packaged\n');
  expect(await place.run()).toEqual(done('a first nginx.conf'));
  expect(await readFile(`${place.conf}.before-rollcall`, 'utf8')).toBe('# as it was packaged\n');
});

test('an nginx.conf that somebody has written stays', async () => {
  await using place = await makePlace();
  await writeFile(place.conf, '# by hand\n');
  expect(await place.run()).toEqual(done('its nginx.conf kept'));
  expect(await readdir(place.target)).toEqual(['nginx.conf']);
  expect(await readFile(place.conf, 'utf8')).toBe('# by hand\n');
});

test('a directory that holds something else is refused on one line, and nothing of it touched', async () => {
  await using place = await makePlace();
  for (const name of ['base', 'global', 'pg_wal', 'PG_VERSION']) {
    await writeFile(join(place.target, name), '');
  }
  expect(await place.run()).toEqual(
    refused(
      '^rollcall: --nginx-conf .*nginx.conf: .* holds .*and 1 more and no configuration of nginx: give it .*of its own\\n$',
    ),
  );
  expect(await readdir(place.target)).toHaveLength(4);
});

test.each([
  ['no directory to copy from', ['--from', '/nowhere'], '--from /nowhere: .*such as /etc/nginx'],
  ['nothing to fill', ['--nginx-conf', '/nowhere/nginx.conf'], '/nowhere cannot be written'],
  ['two ports for one', ['--listen', '1', '--confirm-listen', '1'], 'needs an address of its own'],
])('%s is refused', async (_what, words, says) => {
  await using place = await makePlace();
  expect(await place.run(...words)).toEqual(refused(says));
  expect(await readdir(place.target)).toEqual([]);
});

test('the directory to fill is not the one to copy from, by whatever name', async () => {
  await using place = await makePlace();
  const link = place.inside('link');
  await symlink(place.target, link);
  for (const same of [place.target, link, join(place.target, '..', 'volume')]) {
    await writeFile(place.conf, '# by hand\n');
    await writeFile(join(place.target, 'mime.types'), 'types {}\n');
    expect(await place.run('--from', same)).toEqual(refused('and another to fill'));
    expect(await readFile(place.conf, 'utf8')).toBe('# by hand\n');
  }
});

test.each(['nginx.conf', 'mime.types'])('a source without %s is refused', async (name) => {
  await using place = await makePlace();
  await rm(join(place.from, name));
  expect(await place.run()).toEqual(refused(`--from .*${name}.*such as /etc/nginx\\n$`));
  expect(await readdir(place.target)).toEqual([]);
});

test('a volume that was made for another user is refused, with both', async () => {
  await using place = await makePlace();
  await chmod(place.target, 0o555);
  const through = asNobody();
  const ran = await place.runThrough(through);
  const own = through.length > 0 ? nobody : process.geteuid?.();
  const { uid } = await stat(place.target);
  expect(ran).toEqual(
    refused(`cannot be written \\(EACCES.* of uid ${uid}, this of uid ${own}\\)`),
  );
});

test('without root, nginx takes what was seeded, and keeps its files where it is told to', async () => {
  await using place = await makePlace();
  await place.run();
  for (const path of [place.inside(), place.inside('temp')]) await chmod(path, 0o777);
  const [program, ...words] = [...asNobody(), nginxProgram(), '-t', '-c', place.conf];
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8', timeout: 10_000 });
  expect(stderr).toContain('test is successful');
  expect(status).toBe(0);
  expect(await readdir(place.inside('temp'))).toHaveLength(5);
});

const nobody = 65_534;

/** root may write everywhere. */
function asNobody(): readonly string[] {
  if (process.geteuid?.() !== 0) return [];
  return ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--'];
}
