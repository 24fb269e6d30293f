/**
 * `balancer --once` and `--dry-run`: an exit status that a script can trust, and where it is not 0
 * the reason on one line.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { freePort } from '../../scripts/parts/ports.ts';
import { type Ran, runCli } from '../support/cli.ts';
import { printOf } from '../support/directory.ts';
import { type Keys, openKeys } from '../support/keys.ts';
import { makeNginxSite, type NginxSite } from '../support/nginx-site.ts';

interface World extends AsyncDisposable {
  readonly keys: Keys;
  readonly site: NginxSite;
  readonly once: (...more: readonly string[]) => Promise<Ran>;
  readonly dryRun: (...more: readonly string[]) => Promise<Ran>;
}

/** One backend, and no nginx yet. */
async function makeWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const keys = stack.use(await openKeys(inject('etcdUrl')));
  const site = stack.use(await makeNginxSite(inject('etcdUrl'), keys.prefix));
  await keys.put('one', '127.0.0.1:20001');
  const owned = stack.move();
  return {
    keys,
    site,
    once: (...more) => runCli(['balancer', ...site.words, '--once', ...more]),
    dryRun: (...more) => runCli(['balancer', ...site.words, '--dry-run', ...more]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** nginx on the file that a dry run printed, one backend behind what etcd holds. */
async function startOutdatedNginx({ site, dryRun, keys }: World): Promise<void> {
  await writeFile(site.home.conf, (await dryRun()).stdout);
  await site.startNginx();
  await keys.put('two', '127.0.0.1:20002');
}

/** The one line that is not for machines. */
const reasonsIn = ({ stderr }: Ran) =>
  stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));

const unreachable = async () => `http://127.0.0.1:${await freePort()}`;

test('--once on a running nginx: it serves what etcd holds, exit status 0', async () => {
  await using world = await makeWorld();
  await startOutdatedNginx(world);
  const { site, once } = world;
  const before = await site.served();

  const ran = await once();
  expect({ status: ran.status, stdout: ran.stdout, reasons: reasonsIn(ran) }).toEqual({
    status: 0,
    stdout: '',
    reasons: [],
  });
  const served = await site.served();
  expect(served).not.toBe(before);
  expect(await site.upstream()).toEqual(['server 127.0.0.1:20001;', 'server 127.0.0.1:20002;']);
  expect(await readFile(site.home.conf, 'utf8')).toContain(`# rollcall generation ${served}.`);

  // Nothing is left to do: nothing is touched.
  const print = await printOf(site.home.path);
  expect((await once()).status).toBe(0);
  expect(await printOf(site.home.path)).toEqual(print);
});

test('--once without nginx: the file is there for its start, exit status 1 and why', async () => {
  await using world = await makeWorld();
  const ran = await world.once();
  expect(ran.status).toBe(1);
  expect(reasonsIn(ran)).toEqual([
    expect.stringMatching(/^rollcall: nginx is not running: .*nginx\.pid/),
  ]);
  expect(await world.site.upstream()).toEqual(['server 127.0.0.1:20001;']);
});

test('--once with etcd away: nothing is changed, exit status 1 and why', async () => {
  await using world = await makeWorld();
  await startOutdatedNginx(world);
  const { site, once } = world;
  const before = await printOf(site.home.path);
  const ran = await once('--etcd', await unreachable());
  expect(ran.status).toBe(1);
  expect(reasonsIn(ran)).toEqual([expect.stringMatching(/^rollcall: .*ECONNREFUSED/)]);
  expect(await printOf(site.home.path)).toEqual(before);
});

test('--once where nginx refuses the file: the old one stays, exit status 1 and why', async () => {
  await using world = await makeWorld();
  await startOutdatedNginx(world);
  const { site, once } = world;
  await writeFile(join(site.home.path, 'conf.d', 'broken.conf'), 'no_such_directive on;\n');
  const [file, generation] = [await readFile(site.home.conf, 'utf8'), await site.served()];

  const ran = await once();
  expect(ran.status).toBe(1);
  expect(reasonsIn(ran)).toEqual([
    expect.stringMatching(/^rollcall: .*unknown directive "no_such_directive" in .*broken\.conf:1/),
  ]);
  expect(await readFile(site.home.conf, 'utf8')).toBe(file);
  expect(await site.served()).toBe(generation);
});

test('--dry-run: the file on standard output, the difference on the other, no change', async () => {
  await using world = await makeWorld();
  await startOutdatedNginx(world);
  const { site, dryRun, keys, once } = world;
  await keys.put('broken', 'localhost:80');
  const before = await printOf(site.home.path);

  const { status, stdout, stderr } = await dryRun();
  expect(status).toBe(0);
  expect(stdout).toMatch(/^# rollcall generation \w{12}\..*\n/);
  expect(stdout).toContain('    server 127.0.0.1:20002;\n');
  expect(stderr).toContain(`rollcall: set aside: ${keys.key('broken')}: value: it is a name`);
  expect(stderr).toContain(`--- ${site.home.conf}`);
  expect(stderr).toContain('\n+    server 127.0.0.1:20002;\n');
  expect(stderr).not.toContain('\n+    server 127.0.0.1:20001;\n');
  expect(await printOf(site.home.path)).toEqual(before);

  // What it printed is what is then written, byte by byte.
  expect((await once()).status).toBe(0);
  expect(await readFile(site.home.conf, 'utf8')).toBe(stdout);
  expect((await dryRun()).stderr).toContain(`rollcall: ${site.home.conf} is already so\n`);
});

test('--dry-run needs no nginx, but it needs etcd', async () => {
  await using world = await makeWorld();
  const { site, dryRun } = world;
  const before = await printOf(site.home.path);
  expect((await dryRun('--nginx-bin', '/no/nginx')).status).toBe(0);

  const away = await dryRun('--etcd', await unreachable());
  expect({ status: away.status, stdout: away.stdout }).toEqual({ status: 1, stdout: '' });
  expect(away.stderr).toMatch(/^rollcall: [^\n]*ECONNREFUSED[^\n]*\n$/);
  expect(await printOf(site.home.path)).toEqual(before);
});
