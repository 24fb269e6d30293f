/**
 * What is rendered, in the eyes of the real nginx: it takes the file, sends each request to the
 * service that it is for, and reads a quoted string as it was.
 */
import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { makeNginxHome, type NginxHome, startNginx } from '../../scripts/parts/nginx.ts';
import { freePort } from '../../scripts/parts/ports.ts';
import { createRenderer } from '../../src/balancer/render/render.ts';
import { readTemplates } from '../../src/balancer/render/templates.ts';
import { balanceMethods } from '../../src/options/service.ts';
import { services } from '../../src/options/service-values.ts';
import type { Backend } from '../../src/registry/backend.ts';
import { backend } from '../support/builders.ts';
import { httpServer } from '../support/local-server.ts';
import { nginxRefusal } from '../support/nginx-check.ts';

async function rendererIn(home: NginxHome, given: string, main?: string) {
  const all = services(given);
  const listen = `127.0.0.1:${await freePort()}`;
  const confirmListen = `127.0.0.1:${await freePort()}`;
  const created = createRenderer(
    {
      ...{ listen, confirmListen, confirmPath: '/', pidFile: home.pidFile },
      ...{ errorLog: home.errorLog, accessLog: 'off', workerShutdownTimeoutMs: 1000 },
    },
    all,
    { ...readTemplates(undefined), ...(main !== undefined && { main }) },
  );
  const render = (...pools: readonly (readonly Backend[])[]) =>
    created.render(all.map((service, n) => ({ service, backends: pools[n] ?? [] }))).text;
  return { ...created, render, url: `http://${listen}`, confirmUrl: `http://${confirmListen}/` };
}

test.each([
  ['one service', 'backend=/test'],
  ['two', 'web=/test\napi=/api'],
  ['each way to balance', balanceMethods.map((how, n) => `s${n}=/s${n} balance=${how}`).join('\n')],
  ['no connection kept', 'web=/test keepalive=0 balance=hash\napi=/api keepalive=10000'],
  [
    'long names and wild ones',
    `${'w'.repeat(63)}=/test host=${Array.from({ length: 4 }, (_, n) => `${n}${'l'.repeat(59)}`).join('.')},*.org,www.*\n` +
      `p=/p path=/${'p'.repeat(198)}/`,
  ],
  [
    'many',
    Array.from({ length: 64 }, (_, n) => `s${n}=/s${n} host=${n}.${'h'.repeat(60)}.org`).join('\n'),
  ],
])('nginx takes %s, with backends and without', async (_what, given) => {
  await using home = await makeNginxHome();
  const { render } = await rendererIn(home, given);
  const pool = [backend('a', 8001), { ...backend('b', '[2001:db8::1]:8002'), weight: 1000 }];
  for (const file of [render(), render(pool), render(...services(given).map(() => pool))]) {
    expect(await nginxRefusal(home, file)).toBe('');
  }
});

/** A backend that answers with its name and what it was asked for. */
async function named(name: string) {
  const server = await httpServer(({ url }, response) => response.end(`${name} ${url}`));
  return { ...server, backend: backend(name, Number(new URL(server.url).port)) };
}

test('each request goes to its service', async () => {
  await using home = await makeNginxHome();
  await using web = await named('web');
  await using api = await named('api');
  await using shop = await named('shop');
  const given =
    'web=/test\napi=/api\nshop=/shop path=/shop host=www.example.org,*.b.org\nnone=/none path=/none';
  const site = await rendererIn(home, given);
  await writeFile(home.conf, site.render([web.backend], [api.backend], [shop.backend]));
  await using nginx = await startNginx({ conf: home.conf, url: site.url });
  expect(nginx).toBeDefined();

  const asked = async (host: string, path: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    get(`${site.url}${path}`, { agent: false, headers: { host } }, resolve).once('error', reject);
    const answer = await promise;
    const body = await text(answer);
    const { location, 'retry-after': retryAfter } = answer.headers;
    return answer.statusCode === 200 ? body : [answer.statusCode, location ?? retryAfter];
  };
  expect(await asked('wherever', '/a?b=1')).toBe('web /a?b=1');
  expect(await asked('api', '/a')).toBe('api /a');
  expect(await asked('API.example.org', '/')).toBe('api /');
  expect(await asked('www.example.org', '/shop/a')).toBe('shop /shop/a');
  expect(await asked('x.y.b.org', '/shop/')).toBe('shop /shop/');
  expect(await asked('www.example.org', '/shop')).toEqual([301, '/shop/']);
  expect(await asked('www.example.org', '/')).toEqual([404, undefined]);
  expect(await asked('wherever', '/none/')).toEqual([503, '5']);
  expect(await asked('api', '/none/')).toBe('api /none/');

  const { generation, configuration } = (await (await fetch(site.confirmUrl)).json()) as Record<
    string,
    string
  >;
  expect(configuration).toBe(site.configuration);
  expect(generation).toMatch(/^[0-9a-f]{12}$/);
});

test('a quoted string comes out of nginx as it went into the template', async () => {
  const texts = [
    ...['plain', 'a b', 'a;b{c}#d', 'say "hi"', "it's", String.raw`a\b`, String.raw`\n\t\r\\`],
    ...[String.raw`ends with \ `, '"; return 500 "', 'é ； 漢 \u{1f600}', '%00 %s', '\\"\';'],
  ];
  const main = `events {}
pid {{ pid }};
error_log {{ error_log }};
http {
  include conf.d/*.conf;
  access_log off;
  server {
    listen {{ listen }};
    default_type text/plain;
${texts.map((one, n) => `    location = /${n} { return 200 {{ ${liquidText(one)} | quote }}; }`).join('\n')}
  }
}
`;
  await using home = await makeNginxHome();
  const { render, url, tellsGeneration } = await rendererIn(home, 'backend=/test', main);
  expect(tellsGeneration).toBe(false);
  await writeFile(home.conf, render());
  await using nginx = await startNginx({ conf: home.conf, url: `${url}/0` });
  expect(nginx).toBeDefined();
  for (const [n, one] of texts.entries()) {
    expect(await (await fetch(`${url}/${n}`)).text()).toBe(one);
  }
});

/** As a literal of Liquid. */
const liquidText = (plain: string) => `"${plain.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
