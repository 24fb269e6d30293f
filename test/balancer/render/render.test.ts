import { expect, test } from 'vitest';
import {
  createRenderer,
  generationOf,
  type RenderSettings,
} from '../../../src/balancer/render/render.ts';
import { readTemplates } from '../../../src/balancer/render/templates.ts';
import { backend } from '../../support/builders.ts';

const settings: RenderSettings = {
  listen: '127.0.0.1:8080',
  confirmListen: '127.0.0.1:8079',
  confirmPath: '/',
  pidFile: '/run/nginx.pid',
  errorLog: '/var/log/nginx/error.log',
  accessLog: 'off',
};
const builtIn = readTemplates(undefined);
const render = createRenderer(settings, builtIn);
const withMain = (main: string) => createRenderer(settings, { ...builtIn, main });
const smallest = "http {\n{% include 'confirm' %}\n}\n";

const serversOf = (text: string) => text.match(/^ *server \S+;$/gm)?.map((line) => line.trim());

test('one server a backend, IPv6 in its brackets', () => {
  const { text } = render([backend('a', 8001), backend('b', '[2001:db8::1]:8002')]);
  expect(serversOf(text)).toEqual(['server 127.0.0.1:8001;', 'server [2001:db8::1]:8002;']);
  expect(text).toContain('proxy_pass http://backend;');
  expect(text).not.toContain('return 503');
});

test('a single backend is an upstream like any other', () => {
  expect(serversOf(render([backend('a', 8001)]).text)).toEqual(['server 127.0.0.1:8001;']);
});

test('a weight is written where there is one, and no more of a value than that', () => {
  const heavy = { ...backend('a', 8001), weight: 5, meta: { zone: 'a' } };
  const { text } = render([heavy, { ...backend('b', 8002), weight: 1000 }]);
  expect(text).toContain('\n    server 127.0.0.1:8001 weight=5;\n');
  expect(text).toContain('\n    server 127.0.0.1:8002 weight=1000;\n');
  expect(text).not.toContain('zone=');
});

test('a template of one’s own may ask for metadata that not every backend has', () => {
  const asking = `${smallest}{% for b in backends %}{% if b.meta.zone %}# {{ b.meta.zone }}{% endif %}{% endfor %}`;
  const { text } = withMain(asking)([
    { ...backend('a', 8001), meta: { zone: 'east' } },
    backend('b', 8002),
  ]);
  expect(text.match(/# east/g)).toHaveLength(1);
});

test('no backend is a 503 with Retry-After, and no upstream without servers', () => {
  const { text } = render([]);
  expect(text).not.toContain('upstream backend');
  expect(text).not.toContain('proxy_pass');
  expect(text).toMatch(/add_header Retry-After 5 always;\s+return 503 /);
});

test('the shared zone grows with the pool', () => {
  const many = Array.from({ length: 5000 }, (_, index) => backend(`a${index}`, 1 + index));
  expect(render(many).text).toContain(`zone backend ${64 + 5000}k;`);
});

test('the article’s proxy headers are there', () => {
  const { text } = render([backend('a', 8001)]);
  for (const directive of [
    'proxy_set_header Host $host;',
    'proxy_set_header X-Real-IP $remote_addr;',
    'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
    'add_header X-Handler $upstream_addr always;',
    'include conf.d/*.conf;',
  ]) {
    expect(text).toContain(directive);
  }
});

test('every setting reaches the file', () => {
  const { text } = render([]);
  expect(text).toContain('listen 127.0.0.1:8080;');
  expect(text).toContain('listen 127.0.0.1:8079;');
  expect(text).toContain('pid /run/nginx.pid;');
  expect(text).toContain('error_log /var/log/nginx/error.log warn;');
  expect(text).toContain('access_log off;');
});

test('the file and the answer of nginx carry the same generation', () => {
  const { text, generation } = render([backend('a', 8001)]);
  expect(generation).toMatch(/^[0-9a-f]{12}$/);
  expect(text.split('\n', 1)[0]).toContain(`rollcall generation ${generation}.`);
  expect(text).toContain(`{"generation":"${generation}"`);
});

test('equal pools have equal generations, others have others', () => {
  const a = backend('a', 8001);
  expect(render([a])).toEqual(render([a]));
  expect(render([a]).generation).not.toBe(render([backend('a', 8002)]).generation);
  expect(render([a]).generation).not.toBe(render([]).generation);
});

test('a file tells its generation only while it is what was written', () => {
  const { text, generation } = render([backend('a', 8001)]);
  expect(generationOf(text)).toBe(generation);
  expect(generationOf(text.replace('8001', '8666'))).toBeUndefined();
  expect(generationOf(`${text}\n`)).toBeUndefined();
  expect(generationOf(text.slice(0, -20))).toBeUndefined();
  expect(generationOf('events {}\nhttp {}\n')).toBeUndefined();
  expect(generationOf('')).toBeUndefined();
});

test('a template of one’s own needs no more than the confirmation', () => {
  const { text, generation } = withMain(smallest)([]);
  expect(generationOf(text)).toBe(generation);
});

test('a template without the confirmation is refused', () => {
  expect(() => withMain('http {}')).toThrow("no {% include 'confirm' %}");
});

test.each([
  ['a tag that is not closed', `\n{% if backends %}\n${smallest}`, /line:2/],
  ['a variable that is none', `\n\n{{ backend_list }}\n${smallest}`, /line:3/],
  ['a filter that is none', `{{ listen | shout }}\n${smallest}`, /line:1/],
  ['a file that is none', `\n{% include 'other' %}\n${smallest}`, /line:2/],
])('%s is refused with its line', (_what, main, line) => {
  expect(() => withMain(main)).toThrow(line);
});

test('a template cannot read files of the machine', () => {
  expect(() => withMain(`{% include '/etc/passwd' %}${smallest}`)).toThrow('/etc/passwd');
});

test('a template that does not end is refused', () => {
  const endless = `{% for i in (1..1000000000) %}{{ i }}{% endfor %}${smallest}`;
  expect(() => withMain(endless)).toThrow('limit');
});
