/**
 * A backend that passed the grammar, and that nginx or the operator's own template refuses all the
 * same, is kept out with its reason, and the others go on. What is wrong with the configuration is
 * no fault of any backend.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { startBalancer } from '../../scripts/parts/rollcall.ts';
import type { BalancerStatus } from '../../scripts/parts/status.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { openKeys } from '../support/keys.ts';
import { makeNginxSite, untilConfirmed } from '../support/nginx-site.ts';

/** nginx refuses a max_fails that is no number; strict variables refuse a backend without a zone. */
const template = `error_log {{ error_log }};
pid {{ pid }};
events {}
http {
  include conf.d/*.conf;
  access_log off;
{% include 'confirm' %}
{%- if backends.size > 0 %}
  upstream own {
{%- for backend in backends %}
    # {{ backend.meta.zone }}
    server {{ backend.address }} max_fails={{ backend.meta.fails | default: '1' }};
{%- endfor %}
  }
{%- endif %}
  server {
    listen {{ listen }};
    return 204;
  }
}
`;
const zoneLine = 11;

async function balanced() {
  await using stack = new AsyncDisposableStack();
  const keys = stack.use(await openKeys(inject('etcdUrl')));
  const site = stack.use(await makeNginxSite(inject('etcdUrl'), keys.prefix));
  const own = join(site.home.path, 'own.liquid');
  await writeFile(own, template);
  const balancer = stack.use(await startBalancer({ ...site.flags, template: own }));
  await site.startNginx();
  const owned = stack.move();
  return {
    ...{ keys, site, balancer, own },
    put: (name: string, port: number, meta: Readonly<Record<string, string>> = { zone: 'a' }) =>
      keys.put(name, JSON.stringify({ address: `127.0.0.1:${port}`, meta })),
    ports: async () => (await site.upstream()).map((line) => Number(/:(\d+) /.exec(line)?.[1])),
    told: (text: string) => balancer.log.filter(({ msg }) => msg.startsWith(text)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const outOf = ({ backends }: BalancerStatus) =>
  backends.filter(({ state }) => state === 'quarantined');

/** So many in the pool, and so many kept out of it. */
const are = (inPool: number, out: number) => (status: BalancerStatus) =>
  status.backends.length === inPool + out && outOf(status).length === out;

const text = 'backend quarantined, the others go on without it: ';
const done = 'backend no longer quarantined';

test('a value that nginx refuses: told in its own words, and the others come and go', async () => {
  await using world = await balanced();
  const { keys, site, balancer, put, ports, told } = world;
  await put('a', 1001);
  await put('b', 1002);
  await put('bad', 1003, { zone: 'a', fails: 'x' });
  const status = await untilConfirmed(balancer, 'one kept out', are(2, 1));
  const words = /^nginx refuses the file: .*invalid parameter "max_fails=x" in /;
  expect(outOf(status)).toEqual([
    expect.objectContaining({ key: keys.key('bad'), reason: expect.stringMatching(words) }),
  ]);
  expect(await ports()).toEqual([1001, 1002]);
  const { body } = await httpGet(`${balancer.adminUrl}/metrics`, 1000);
  expect(body).toContain('rollcall_pool_backends{service="backend",state="quarantined"} 1\n');
  expect(body).toContain('rollcall_pool_backends{service="backend",state="in_pool"} 2\n');

  await keys.remove('b');
  await untilConfirmed(balancer, 'one fewer', are(1, 1));
  expect(await ports()).toEqual([1001]);
  await put('c', 1004);
  await untilConfirmed(balancer, 'one more', are(2, 1));
  expect(await ports()).toEqual([1001, 1004]);
  expect(told(text)).toEqual([
    expect.objectContaining({
      level: 'warn',
      key: keys.key('bad'),
      msg: expect.stringMatching('"max_fails=x"'),
    }),
  ]);

  expect(told(done)).toEqual([]);
  await put('bad', 1003, { zone: 'a', fails: '2' });
  await untilConfirmed(balancer, 'all of them', are(3, 0));
  expect(await site.upstream()).toContain('server 127.0.0.1:1003 max_fails=2;');
  expect(told(done)).toEqual([expect.objectContaining({ key: keys.key('bad') })]);
});

test('a backend that the template fails on: told with the line, and the others go on', async () => {
  await using world = await balanced();
  const { keys, balancer, put, ports, told, own } = world;
  await put('a', 1001);
  await put('bad', 1002, {});
  await put('c', 1003);
  const status = await untilConfirmed(balancer, 'one kept out', are(2, 1));
  const reason = `the template does not render: --template ${own}: undefined variable: backend.meta.zone, line:${zoneLine}, `;
  expect(outOf(status)).toEqual([
    expect.objectContaining({ key: keys.key('bad'), reason: expect.stringContaining(reason) }),
  ]);
  expect(await ports()).toEqual([1001, 1003]);
  await keys.remove('a');
  await untilConfirmed(balancer, 'one fewer', are(1, 1));
  expect(await ports()).toEqual([1003]);
  await put('bad', 1002, { zone: 'b' });
  await untilConfirmed(balancer, 'both', are(2, 0));
  expect(await ports()).toEqual([1002, 1003]);
  expect([told(text).length, told(done).length]).toEqual([1, 1]);
});

test('two of two hundred: both are found, and nobody else is kept out', async () => {
  await using world = await balanced();
  const { keys, balancer, put, ports } = world;
  const all = Array.from({ length: 200 }, (_, n) => 2000 + n);
  const bad = [2041, 2163];
  for (const port of all) {
    await put(`at-${port}`, port, { zone: 'a', fails: bad.includes(port) ? `x${port}` : '3' });
  }
  const status = await untilConfirmed(balancer, 'two kept out', are(198, 2));
  expect(outOf(status).map(({ key, reason }) => [key, reason])).toEqual(
    bad.map((port) => [keys.key(`at-${port}`), expect.stringContaining(`"max_fails=x${port}"`)]),
  );
  expect(await ports()).toEqual(all.filter((port) => !bad.includes(port)));
});

test('a fault of the configuration is nobody’s, and hides nobody’s once it is mended', async () => {
  await using world = await balanced();
  const { keys, site, balancer, put, ports, told } = world;
  await put('a', 1001);
  await untilConfirmed(balancer, 'one', are(1, 0));
  const broken = join(site.home.path, 'conf.d', 'broken.conf');
  await writeFile(broken, 'no such directive;\n');
  await put('bad', 1002, { zone: 'a', fails: 'x' });
  await put('c', 1003);
  await waitUntil({ expected: 'the refusal in the status', withinMs: 5000 }, async () => {
    const status = await balancer.status();
    const { trouble } = status;
    return (trouble?.includes('unknown directive "no"') && are(3, 0)(status)) || String(trouble);
  });
  expect(told(text)).toEqual([]);
  expect(await ports()).toEqual([1001]);

  await rm(broken);
  const status = await untilConfirmed(balancer, 'one kept out', are(2, 1));
  expect(outOf(status).map(({ key }) => key)).toEqual([keys.key('bad')]);
  expect(await ports()).toEqual([1001, 1003]);
});
