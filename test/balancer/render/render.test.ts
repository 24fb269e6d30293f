import { expect, test } from 'vitest';
import { generationOf } from '../../../src/balancer/render/render.ts';
import { backend } from '../../support/builders.ts';
import { renderer } from './rendering.ts';

const { of: render, configuration, tellsGeneration } = renderer();
const smallest = "http {\n{% include 'confirm' %}\n}\n";

const serversOf = (text: string) =>
  text.match(/^ *server \S+( \S+)?;$/gm)?.map((line) => line.trim());

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

test('one service needs no names of hosts, and leaves default_server to others', () => {
  const { text } = render([backend('a', 8001)]);
  for (const word of [
    'default_server',
    'server_name',
    'absolute_redirect',
    'return 404;\n  }\n\n  s',
  ])
    expect(text).not.toContain(word);
});

test('every setting reaches the file', () => {
  const { text } = render([]);
  expect(text).toContain('listen 127.0.0.1:8080;');
  expect(text).toContain('listen 127.0.0.1:8079;');
  expect(text).toContain('pid /run/nginx.pid;');
  expect(text).toContain('error_log /var/log/nginx/error.log warn;');
  expect(text).toContain('access_log off;');
  expect(text).toContain('worker_shutdown_timeout 240000ms;');
  const logged = renderer({ settings: { accessLog: '/var/log/a' } }).of([]);
  expect(logged.text).toContain('access_log /var/log/a main;');
});

test('nginx keeps its temporary files where it was built to, unless it is told', () => {
  expect(render([]).text).not.toContain('temp_path');
  const { text } = renderer({ settings: { tempPath: '/tmp' } }).of([]);
  expect(text.match(/^ *\w+_temp_path .*$/gm)?.map((line) => line.trim())).toEqual([
    'client_body_temp_path /tmp/client-body;',
    'proxy_temp_path /tmp/proxy;',
    'fastcgi_temp_path /tmp/fastcgi;',
    'uwsgi_temp_path /tmp/uwsgi;',
    'scgi_temp_path /tmp/scgi;',
  ]);
});

test('the file and the answer of nginx carry the same generation', () => {
  const { text, generation } = render([backend('a', 8001)]);
  expect(generation).toMatch(/^[0-9a-f]{12}$/);
  expect(text.split('\n', 1)[0]).toContain(`rollcall generation ${generation}.`);
  expect(text).toContain(
    `return 200 '{"generation":"${generation}","configuration":"${configuration}","worker":$pid}\\n';`,
  );
  expect(tellsGeneration).toBe(true);
});

test('equal pools have equal generations, others have others', () => {
  const a = backend('a', 8001);
  expect(render([a])).toEqual(render([a]));
  expect(render([a]).generation).not.toBe(render([backend('a', 8002)]).generation);
  expect(render([a]).generation).not.toBe(render([]).generation);
});

test('the configuration is the same for every membership, and another for all else', () => {
  const services = 'web=/test\napi=/api';
  const one = renderer({ services });
  expect(one.configuration).toMatch(/^[0-9a-f]{12}$/);
  expect(one.of([backend('a', 8001)]).configuration).toBe(one.configuration);
  expect(one.of().configuration).toBe(one.configuration);
  const others = [
    renderer({ services }),
    renderer({ services: 'web=/test\napi=/api keepalive=1' }),
    renderer({ services: 'web=/test2\napi=/api' }),
    renderer({ services, settings: { listen: '80' } }),
    renderer({ services, settings: { workerShutdownTimeoutMs: 1000 } }),
    renderer({ services, main: smallest }),
    renderer({ services, main: `${smallest}\n` }),
  ].map((other) => other.configuration);
  expect(others[0]).toBe(one.configuration);
  expect(new Set(others).size).toBe(others.length);
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
  const own = renderer({ main: smallest });
  const { text, generation } = own.of([]);
  expect(generationOf(text)).toBe(generation);
  expect(own.tellsGeneration).toBe(true);
});

test.each([
  ['without the confirmation', 'http {}'],
  ['with it in a comment', "{% comment %}{% include 'confirm' %}{% endcomment %}"],
  ['with it only where there are backends', `{% if backends.size > 0 %}${smallest}{% endif %}`],
])('a template %s is rendered, and nginx cannot tell its generation', (_what, main) => {
  const own = renderer({ main });
  expect(own.tellsGeneration).toBe(false);
  const { text, generation } = own.of([backend('a', 8001)]);
  expect(generationOf(text)).toBe(generation);
});
