/**
 * A template of one's own that has no place which answers with the generation: what nginx serves is
 * told from its workers, and whatever else happens to nginx is noticed all the same.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { generationOf } from '../../src/balancer/render/render.ts';
import { readTemplates } from '../../src/balancer/render/templates.ts';
import { startNamedBackend } from '../support/named-backend.ts';
import { untilConfirmed } from '../support/nginx-site.ts';
import { makeReloadCommand, type ReloadCommand } from '../support/reload-command.ts';
import { startServedSite } from '../support/served-site.ts';

const soon = (expected: string) => ({ expected, withinMs: 5000 });

/** The built-in template without its private server, and with every reload counted. */
async function startSilent(backends: Readonly<Record<string, string>>) {
  let reload: ReloadCommand | undefined;
  const served = await startServedSite({
    backends,
    flags: async ({ home }) => {
      reload = await makeReloadCommand(home);
      const template = join(home.path, 'silent.liquid');
      const { main } = readTemplates(undefined);
      await writeFile(template, main.replace("{%- include 'confirm' %}", ''));
      return { template, reload: reload.method };
    },
  });
  const { home } = served.site;
  return {
    ...served,
    reloads: async () => (await reload?.count()) ?? Number.NaN,
    onDisk: async () => generationOf(await readFile(home.conf, 'utf8')),
    [Symbol.asyncDispose]: () => served[Symbol.asyncDispose](),
  };
}

test('it warns once, confirms by workers, and each change is one reload', async () => {
  await using one = await startNamedBackend('one');
  await using two = await startNamedBackend('two');
  await using world = await startSilent({ one: one.address });
  const { keys, site, balancer, reloads, onDisk } = world;
  await expect(site.served()).rejects.toThrow('ECONNREFUSED');
  const before = await reloads();
  await keys.put('two', two.address);
  await untilConfirmed(balancer, 'two', ({ backends }) => backends.length === 2);
  await keys.remove('one');
  const { generation } = await untilConfirmed(
    balancer,
    'one',
    ({ backends }) => backends.length === 1,
  );
  expect(await reloads()).toBe(before + 2);
  expect(generation.running).toBe(await onDisk());
  // Confirmed: nobody takes requests for the one that is gone.
  for (let n = 0; n < 50; n += 1) expect((await httpGet(site.url, 1000)).body).toBe('two');
  const warnings = balancer.log.filter(({ msg }) => msg.includes('from its workers alone'));
  expect(warnings).toMatchObject([{ level: 'warn' }]);
});

test('an nginx that is started again by hand is noticed, and told once', async () => {
  await using world = await startSilent({ one: '127.0.0.1:9' });
  const { nginx, balancer, reloads } = world;
  const before = await reloads();
  await nginx.stop();
  await waitUntil(soon('its absence seen'), async () => !(await balancer.status()).confirmed || '');
  await nginx.start();
  const { generation } = await untilConfirmed(balancer, 'the same pool', () => true);
  expect(generation.running).toBe(generation.wanted);
  expect(await reloads()).toBe(before + 1);
});

test('a reload that nginx refuses is found out, and the file that it serves put back', async () => {
  await using world = await startSilent({ one: '127.0.0.1:9' });
  const { keys, site, balancer, onDisk, metric } = world;
  const zone = join(dirname(site.home.conf), 'conf.d', 'limit.conf');
  await writeFile(zone, 'limit_req_zone $binary_remote_addr zone=one:1m rate=1000r/s;\n');
  await keys.put('two', '127.0.0.1:10');
  const { generation } = await untilConfirmed(
    balancer,
    'two',
    ({ backends }) => backends.length === 2,
  );
  await writeFile(zone, 'limit_req_zone $request_uri zone=one:1m rate=1000r/s;\n');
  await keys.put('three', '127.0.0.1:11');
  await waitUntil(
    { expected: 'the refusal to be found out', withinMs: 10_000 },
    async () =>
      (await metric('rollcall_rollouts_total{result="confirm_failed"}')) === 1 || 'not yet',
  );
  expect(await onDisk()).toBe(generation.running);
  const { confirmed, trouble, generation: now } = await balancer.status();
  expect({ confirmed, running: now.running }).toEqual({
    confirmed: false,
    running: generation.running,
  });
  expect(trouble).toContain('the file that it serves is back in place');
});
