// Templates of an operator's own: what they are given, how they print it, what they are refused.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTemplates } from '../../../src/balancer/render/templates.ts';
import { backend } from '../../support/builders.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { printed, renderer, settings } from './rendering.ts';

const east = { ...backend('a', 8001), weight: 5, meta: { zone: 'east' } };
const b = backend('b', 8002);

test('a simple template loops over the backends of the first service', () => {
  const main = '{% for b in backends %}{{ b.name }}={{ b.address }}*{{ b.weight }} {% endfor %}';
  expect(printed(main, east, b)).toBe('a=127.0.0.1:8001*5 b=127.0.0.1:8002*1 ');
});

test('every variable that is promised is there', () => {
  const main = [
    '{{ listen }} {{ confirm_listen }} {{ confirm_path }} {{ pid }} {{ error_log }} {{ access_log }}',
    '{{ worker_shutdown_timeout_ms }} {{ zone_kb }} {{ generation.size }} {{ configuration.size }}',
    '{% for b in backends %}{{ b.key }} {{ b.host }} {{ b.port }} {{ b.meta.zone }}{% endfor %}',
    '{% for s in services %}{{ s.name }} {{ s.prefix }} {{ s.path }} {{ s.balance }} {{ s.keepalive }} {{ s.connect_timeout_ms }} {{ s.send_timeout_ms }} {{ s.read_timeout_ms }} {{ s.zone_kb }} {{ s.backends.size }} {{ s.hosts | join: "," }}{% endfor %}',
    '{% for h in virtual_hosts %}{{ h.hosts.size }} {{ h.services.size }} {{ h.has_root }} {{ h.has_paths }}{% endfor %}',
  ].join('\n');
  const { text } = renderer({ main, services: 'api=/api host=x,*.y' }).of([east]);
  expect(text.split('\n').slice(1)).toEqual([
    `127.0.0.1:8080 127.0.0.1:8079 / /run/nginx.pid /var/log/nginx/error.log off`,
    '240000 65 12 12',
    '/test/a 127.0.0.1 8001 east',
    'api /api / round-robin 32 2000 60000 60000 65 1 x,*.y',
    // The first answers for every other host, and has no service here.
    '0 0 false false2 1 true false',
  ]);
});

test('a template may ask for metadata that not every backend has', () => {
  const main =
    '{% for b in backends %}{% if b.meta.zone %}# {{ b.meta.zone }}{% endif %}{% endfor %}';
  expect(printed(main, east, b)).toBe('# east');
});

test('server_lines takes backends, and what other filters leave of them', () => {
  expect(printed('{{ backends | server_lines }}', east, b)).toBe(
    '    server 127.0.0.1:8001 weight=5;\n    server 127.0.0.1:8002;',
  );
  expect(printed("{{ backends | where: 'meta.zone', 'east' | server_lines }}", east, b)).toBe(
    '    server 127.0.0.1:8001 weight=5;',
  );
  expect(printed("{{ backends | where_exp: 'b', 'b.meta.zone != nil' | size }}", east, b)).toBe(
    '1',
  );
  expect(
    printed("{% assign zones = backends | group_by: 'meta.zone' %}{{ zones.size }}", east, b),
  ).toBe('2');
  // Only there: elsewhere what is not there is an error.
  const after =
    "{% for b in backends %}{{ backends | where: 'meta.zone', 'x' | size }}{{ b.meta.none }}";
  expect(() => printed(`${after}{% endfor %}`, b)).toThrow('undefined variable: b.meta.none');
  for (const wrong of ['listen', 'services', "'a;b' | split: ';'", '(1..3)']) {
    expect(() => renderer({ main: `{{ ${wrong} | server_lines }}` })).toThrow('a list of backends');
  }
});

test('the built-in parts can stand in a template of one’s own', () => {
  const main =
    "{% for service in services %}{% include 'upstream' %}location {{ service.path }} { {% include 'proxy' %} }{% endfor %}" +
    "{% include 'proxy', service: services[0] %}";
  const text = printed(main, b);
  expect(text).toContain('upstream backend {');
  expect(text.match(/proxy_pass http:\/\/backend;/g)).toHaveLength(2);
  expect(() => renderer({ main: "{% include 'proxy' %}" })).toThrow('undefined variable: service');
});

test.each([
  ["{{ 'a b' }}", 'pass it through "| quote"'],
  ["{{ 'a;' }}", 'pass it through "| quote"'],
  ["{% echo 'a;' %}", 'pass it through "| quote"'],
  ["{% cycle 'a;', 'b' %}", 'pass it through "| quote"'],
  ['{% capture x %}a b{% endcapture %}{{ x }}', 'pass it through "| quote"'],
  ["{{ 'a' | append: ';' }}", 'pass it through "| quote"'],
  ["{{ 'a' | quote | append: 'b' }}", 'pass it through "| quote"'],
  ["{{ '$uri' | quote }}", 'nginx would read a variable'],
  ['{{ backends }}', 'a list cannot be printed'],
  ['{{ services[0] }}', 'an object cannot be printed'],
])('%s is refused, with its line', (main, why) => {
  expect(() => renderer({ main: `\n\n${main}` })).toThrow(why);
  expect(() => renderer({ main: `\n\n${main}` })).toThrow(/^--template \/t: .*, line:3, col:\d+$/);
});

test('raw is for what a template has put together itself', () => {
  const main = '{% capture x %}listen {{ listen }};{% endcapture %}{{ x | raw }}';
  expect(printed(main)).toBe(`listen ${settings.listen};`);
});

test.each([
  ['a tag that is not closed', '\n{% if backends %}\n', /line:2, col:1$/],
  ['an output that is not closed', '\n\n{{ listen\n', /line:3, col:1$/],
  ['a variable that is none', '\n\n{{ backend_list }}\n', /backend_list, line:3, col:4$/],
  ['a filter that is none', '{{ listen | shout }}', /shout, line:1, col:1$/],
  ['a tag that is none', '\n{% forr a in b %}', /"forr" not found, line:2, col:1$/],
  ['a file that is none', "\n{% include 'other' %}\n", /"other".*line:2, col:1$/],
  ['a file of the machine', "{% include '/etc/passwd' %}", /"\/etc\/passwd".*line:1, col:1$/],
  ['a file beside it', "{% include './t' %}", /".\/t".*line:1, col:1$/],
  ['a layout of the machine', "{% layout '/etc/passwd' %}", /"\/etc\/passwd".*line:1, col:1$/],
  ['a fault in a part', "{% render 'proxy' %}", /service.*line:\d+, col:\d+$/],
  ['a prototype', '{{ listen.constructor }}', /constructor, line:1, col:4$/],
])('%s is refused in one line with its place', (_what, main, place) => {
  expect(() => renderer({ main })).toThrow(/^--template \/t: [^\n]+$/);
  expect(() => renderer({ main })).toThrow(place);
});

test('a fault that only some backends have is thrown when they are rendered', () => {
  const main = '\n{% for b in backends %}{{ b.meta.zone }}{% endfor %}';
  const { of } = renderer({ main });
  expect(of([east]).text).toContain('east');
  expect(() => of([b])).toThrow(
    /^--template \/t: undefined variable: b.meta.zone, line:2, col:\d+$/,
  );
});

test('a template is read as it is when the balancer starts', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'own.liquid');
  await writeFile(path, 'events {}\n');
  expect(readTemplates(path)).toMatchObject({ source: `--template ${path}`, main: 'events {}\n' });
  expect(Object.keys(readTemplates(path).partials)).toEqual(['confirm', 'upstream', 'proxy']);
});

test('what is no template is refused before it is read', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'large');
  await writeFile(path, ' '.repeat(1024 * 1024 + 1));
  await mkdir(join(directory.path, 'd'));
  expect(() => readTemplates(path)).toThrow('it has more than 1048576 bytes');
  expect(() => readTemplates('/dev/zero')).toThrow('it is not a file');
  expect(() => readTemplates(join(directory.path, 'd'))).toThrow('EISDIR');
  expect(() => readTemplates('/no/template')).toThrow(/^--template \/no\/template: ENOENT/);
});
