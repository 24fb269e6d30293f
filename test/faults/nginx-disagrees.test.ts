/**
 * Invariants 3, 5 and 6: only a file that nginx accepts stays, only nginx's own answer counts, and
 * no event is needed to put right what is not as it should be.
 */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { confOnDisk, generationServed, putKey } from '../../scripts/demo/evidence.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { makeNginxHome, startNginx } from '../../scripts/parts/nginx.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { type Flags, startBalancer } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';

/** Hand-made keys below a prefix of its own, a balancer, and an nginx on what it wrote. */
async function balanced(more: Flags = {}) {
  await using stack = new AsyncDisposableStack();
  const etcdUrl = inject('etcdUrl');
  const prefix = `/nginx-disagrees-${process.pid}-${await freePort()}`;
  const home = stack.use(await makeNginxHome());
  const listen = `127.0.0.1:${await freePort()}`;
  const confirm = `127.0.0.1:${await freePort()}`;
  const confirmUrl = `http://${confirm}/`;
  const put = (name: string, port: number) =>
    putKey(etcdUrl, `${prefix}/${name}`, `127.0.0.1:${port}`);
  await put('one', 9);
  const balancer = stack.use(
    await startBalancer({
      ...{ etcd: etcdUrl, prefix, listen, 'confirm-listen': confirm, 'confirm-url': confirmUrl },
      ...{ 'nginx-conf': home.conf, 'nginx-pid': home.pidFile, 'error-log': home.errorLog },
      'access-log': 'off',
      ...more,
    }),
  );
  const written = { expected: 'a first file', withinMs: 5000 };
  await waitUntil(written, () =>
    readFile(home.conf).then(
      () => true as const,
      () => 'none',
    ),
  );
  const nginx = stack.use(await startNginx({ conf: home.conf, url: `http://${listen}/` }));
  const isConfirmed = async () => {
    const { confirmed, generation } = await balancer.status();
    const served = await generationServed(confirmUrl);
    return (
      (confirmed && served === generation.wanted) || `served ${served}, confirmed ${confirmed}`
    );
  };
  await waitUntil({ expected: 'a confirmed generation', withinMs: 5000 }, isConfirmed);
  const owned = stack.move();
  return {
    ...{ home, listen, confirmUrl, balancer, nginx, put, isConfirmed },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('a reload command that exits with 0 and does nothing is never taken for a reload', async () => {
  await using world = await balanced({ reload: 'exec:/bin/true' });
  const { balancer, put, home, confirmUrl } = world;
  const before = await generationServed(confirmUrl);
  await put('two', 10);
  await waitUntil({ expected: 'the failure to be told', withinMs: 10_000 }, async () => {
    const { body } = await httpGet(`${balancer.adminUrl}/metrics`, 1000);
    return /rollcall_rollouts_total\{result="reload_failed"\} [1-9]/.test(body) || 'nothing';
  });
  expect(await generationServed(confirmUrl)).toBe(before);
  expect((await balancer.status()).confirmed).toBe(false);
  expect((await httpGet(`${balancer.adminUrl}/-/ready`, 1000)).status).toBe(503);
  // nginx goes on with the old generation, so the old file is what it must find at its next start.
  expect((await confOnDisk(home.conf)).generation).toBe(before);
}, 60_000);

test('a reload that nginx refuses with exit status 0: the file that it serves is put back', async () => {
  await using world = await balanced();
  const { home, put, confirmUrl, balancer, nginx, isConfirmed, listen } = world;
  const zone = join(dirname(home.conf), 'conf.d', 'limit.conf');
  await writeFile(zone, 'limit_req_zone $binary_remote_addr zone=one:1m rate=1000r/s;\n');
  await put('two', 10);
  await waitUntil({ expected: 'the zone to be loaded', withinMs: 5000 }, async () =>
    (await confOnDisk(home.conf)).addresses.length === 2 ? await isConfirmed() : 'one backend',
  );
  const accepted = await generationServed(confirmUrl);

  await writeFile(zone, 'limit_req_zone $request_uri zone=one:1m rate=1000r/s;\n');
  await put('three', 11);
  await waitUntil({ expected: 'the refusal to be found out', withinMs: 10_000 }, async () => {
    const { body } = await httpGet(`${balancer.adminUrl}/metrics`, 1000);
    return /rollcall_rollouts_total\{result="confirm_failed"\} [1-9]/.test(body) || 'nothing';
  });
  // In nginx's own words, from its error log.
  expect((await balancer.status()).trouble).toContain('limit_req "one" uses the');
  expect(await generationServed(confirmUrl)).toBe(accepted);
  expect((await confOnDisk(home.conf)).generation).toBe(accepted);
  expect((await httpGet(`http://${listen}/`, 3000)).status).toBe(502);
  expect(nginx.pid).toBeDefined();

  // The cause mended, nothing else needs to happen.
  await writeFile(zone, 'limit_req_zone $binary_remote_addr zone=one:1m rate=1000r/s;\n');
  await waitUntil({ expected: 'three backends', withinMs: 10_000 }, async () =>
    (await confOnDisk(home.conf)).addresses.length === 3 ? await isConfirmed() : 'two backends',
  );
}, 60_000);

test('a file that nginx -t refuses never stands in place of the good one', async () => {
  await using world = await balanced();
  const { home, put, confirmUrl, balancer, isConfirmed } = world;
  const before = await readFile(home.conf, 'utf8');
  const broken = join(dirname(home.conf), 'conf.d', 'broken.conf');
  await writeFile(broken, 'no such directive;\n');
  await put('two', 10);
  await waitUntil({ expected: 'the refusal in the status', withinMs: 5000 }, async () => {
    const { trouble } = (await balancer.status()) as { readonly trouble?: string };
    return trouble?.includes('unknown directive "no"') || String(trouble);
  });
  expect(await readFile(home.conf, 'utf8')).toBe(before);
  expect(await generationServed(confirmUrl)).toBe((await confOnDisk(home.conf)).generation);

  await writeFile(broken, '# mended\n');
  await waitUntil({ expected: 'two backends', withinMs: 10_000 }, async () =>
    (await confOnDisk(home.conf)).addresses.length === 2 ? await isConfirmed() : 'one backend',
  );
}, 60_000);

test('a file changed by hand, and an nginx started on it, are put right with no event', async () => {
  await using world = await balanced();
  const { home, nginx, confirmUrl, isConfirmed } = world;
  const good = await generationServed(confirmUrl);
  await appendFile(home.conf, '# a change by hand\n');
  await waitUntil(
    { expected: 'the file as it was', withinMs: 2000 },
    async () => !(await readFile(home.conf, 'utf8')).includes('by hand') || 'the change',
  );

  await nginx.stop();
  const text = await readFile(home.conf, 'utf8');
  await writeFile(home.conf, text.replaceAll(good ?? '', '000000000000'));
  await nginx.start();
  await waitUntil({ expected: 'the wanted generation', withinMs: 5000 }, isConfirmed);
  expect(await generationServed(confirmUrl)).toBe(good);
}, 60_000);
