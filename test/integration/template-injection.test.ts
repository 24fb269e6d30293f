/**
 * Whatever stands in etcd, it gets nothing into nginx.conf but servers of its own upstream: a
 * hundred thousand hostile keys and values, through the grammar and the templates, read back as
 * nginx reads its configuration, and some of them by nginx itself.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeNginxHome, type NginxHome } from '../../scripts/parts/nginx.ts';
import { poolOf } from '../../src/balancer/pool/pool.ts';
import { createRenderer, type Rendered } from '../../src/balancer/render/render.ts';
import { readTemplates } from '../../src/balancer/render/templates.ts';
import { services } from '../../src/options/service-values.ts';
import type { Backend } from '../../src/registry/backend.ts';
import { storedKey } from '../support/builders.ts';
import { hostileKeys } from '../support/hostile-values.ts';
import { nginxRefusal } from '../support/nginx-check.ts';
import { type Directive, parseNginx } from '../support/nginx-tokens.ts';

const batches = 50;
const keysInBatch = 2000;
const seed = 20_260_101;

/** Prints all that a backend has, in comments, in headers and in names. */
const telling = `events {}
pid {{ pid }};
error_log {{ error_log }};
http {
  include conf.d/*.conf;
{% include 'confirm' %}
  server {
    listen {{ listen }};
{% for b in services[1].backends %}
    # {{ b.key }} {{ b.name }}{% for m in b.meta %} {{ m[0] }}={{ m[1] }}{% endfor %}
    location /{{ forloop.index }}{{ b.key }}/ {
      add_header X-Name {{ b.name }};
      add_header X-Key {{ b.key | quote }};
{%- for m in b.meta %}
      add_header X-Meta-{{ m[0] }} {{ m[1] | quote }};
{%- endfor %}
    }
{% endfor %}
  }
}
`;

const all = services('known=/known\nevil=/evil host=evil.example.org');
const [known, evil] = all;
let home: NginxHome;
beforeAll(async () => void (home = await makeNginxHome()));
afterAll(() => home[Symbol.asyncDispose]());

function rendererWith(main?: string) {
  const builtIn = readTemplates(undefined);
  const { render } = createRenderer(
    {
      ...{ listen: '127.0.0.1:8080', confirmListen: '127.0.0.1:8079', confirmPath: '/' },
      ...{ pidFile: home.pidFile, errorLog: home.errorLog, accessLog: 'off' },
      workerShutdownTimeoutMs: 1000,
    },
    all,
    { ...builtIn, main: main ?? builtIn.main },
  );
  const first = poolOf('/known', [storedKey('/known/a', '10.9.9.9:80')]).backends;
  return (backends: readonly Backend[]) => {
    if (!known || !evil) throw new Error('there are two');
    return render([
      { service: known, backends: first },
      { service: evil, backends },
    ]);
  };
}

/** Of one batch, and one backend that is certainly there. */
function poolOfBatch(batch: number): readonly Backend[] {
  const keys = hostileKeys(seed + batch, keysInBatch).map(({ name, value }, n) =>
    storedKey(`/evil/${name === '' ? `key-${n}` : name}`, value),
  );
  return poolOf('/evil', [storedKey('/evil/0', '10.8.8.8:80'), ...keys]).backends;
}

/** Without what may differ: the servers of the upstream, its zone's size, the generation. */
function skeleton({ text, generation }: Rendered) {
  const servers: string[] = [];
  const strip = (block: readonly Directive[], upstream: boolean): unknown =>
    block.flatMap(({ words, block: inside }) => {
      if (upstream && words[0] === 'server') {
        servers.push(words.slice(1).join(' '));
        return [];
      }
      const shown = words.map((word) => word.replaceAll(generation, 'GENERATION'));
      if (upstream && words[0] === 'zone') shown[2] = shown[2]?.replace(/^\d+k$/, 'SIZE') ?? '';
      return [[shown, inside && strip(inside, words.join(' ') === 'upstream evil')]];
    });
  return { rest: strip(parseNginx(text), false), servers };
}

test('a hundred thousand of them add servers to their upstream, and nothing else', async () => {
  const render = rendererWith();
  const tell = rendererWith(telling);
  const { rest: expected } = skeleton(
    render(poolOf('/evil', [storedKey('/evil/0', '10.8.8.8:80')]).backends),
  );
  let accepted = 0;
  let checked = 0;
  for (let batch = 0; batch < batches; batch += 1) {
    const backends = poolOfBatch(batch);
    accepted += backends.length;
    const rendered = render(backends);
    const { rest, servers } = skeleton(rendered);
    expect(rest).toEqual(expected);
    expect(servers).toHaveLength(backends.length);
    for (const server of servers) {
      expect(server).toMatch(/^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+\]):\d{1,5}( weight=\d{1,4})?$/);
    }
    const told = tell(backends);
    expect(toldIn(told.text)).toEqual(backends.map(toldOf));
    if (batch % 2 > 0) continue;
    for (const { text } of [rendered, told]) expect(await nginxRefusal(home, text)).toBe('');
    checked += 2;
  }
  // Neither were all of them refused, nor was most of it no attack at all.
  expect(accepted).toBeGreaterThan((batches * keysInBatch) / 50);
  expect(accepted).toBeLessThan((batches * keysInBatch) / 2);
  expect(checked).toBe(50);
}, 60_000);

const toldOf = ({ key, name, meta }: Backend, n: number) => [
  ['location', `/${n + 1}${key}/`],
  ['add_header', 'X-Name', name],
  ['add_header', 'X-Key', key],
  ...Object.entries(meta).map(([word, value]) => ['add_header', `X-Meta-${word}`, value]),
];

function toldIn(text: string) {
  const http = parseNginx(text).find(({ words }) => words[0] === 'http')?.block ?? [];
  const server = http.findLast(({ words }) => words[0] === 'server')?.block ?? [];
  const [listen, ...locations] = server;
  expect(listen?.words).toEqual(['listen', '127.0.0.1:8080']);
  return locations.map(({ words, block = [] }) => [words, ...block.map((one) => one.words)]);
}
