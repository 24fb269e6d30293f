// Several services in the built-in template.
import { expect, test } from 'vitest';
import { virtualHosts } from '../../../src/balancer/render/virtual-hosts.ts';
import { services } from '../../../src/options/service-values.ts';
import { backend } from '../../support/builders.ts';
import { parseNginx, type Directive } from '../../support/nginx-tokens.ts';
import { renderer } from './rendering.ts';

const a = backend('a', 8001);
const b = backend('b', 8002);

const hostsOf = (text: string) =>
  virtualHosts(services(text)).map(({ hosts, services: those }) => [
    hosts.join(' '),
    those.map(({ name, path }) => name + path).join(' '),
  ]);

test('each host is in one server, with all the locations that services give it', () => {
  expect(hostsOf('web=/test\napi=/api')).toEqual([
    ['', 'web/'],
    ['api api.*', 'api/'],
  ]);
  expect(hostsOf('a=/a host=x,y,w\nb=/b host=y,z path=/b\nc=/c path=/c')).toEqual([
    ['', 'c/c/'],
    ['x w', 'a/'],
    ['y', 'a/ b/b/'],
    ['z', 'b/b/'],
  ]);
});

interface Server {
  readonly listen: readonly string[];
  readonly names: readonly string[];
  /** By path: what is proxied to, or the status that is returned. */
  readonly locations: Readonly<Record<string, string | undefined>>;
}

function serversOf(text: string): readonly Server[] {
  const http = parseNginx(text).find(({ words }) => words[0] === 'http');
  const servers = (http?.block ?? []).filter(({ words }) => words[0] === 'server').slice(0, -1);
  return servers.map(({ block = [] }) => ({
    listen: wordsAfter(block, 'listen'),
    names: wordsAfter(block, 'server_name'),
    locations: Object.fromEntries(
      block
        .filter(({ words }) => words[0] === 'location')
        .map(({ words, block: inside = [] }) => [
          words[1],
          wordsAfter(inside, 'proxy_pass')[0] ?? wordsAfter(inside, 'return')[0],
        ]),
    ),
  }));
}

const wordsAfter = (block: readonly Directive[], name: string) =>
  block.find(({ words }) => words[0] === name)?.words.slice(1) ?? [];

const listen = ['127.0.0.1:8080'];
const byDefault = ['127.0.0.1:8080', 'default_server'];

test('an upstream for each service that has backends, and a 503 for the others', () => {
  const { text } = renderer({ services: 'web=/test\napi=/api' }).of([a], []);
  expect(text).toContain('upstream web {');
  expect(text).not.toContain('upstream api {');
  expect(serversOf(text)).toEqual([
    { listen: byDefault, names: [], locations: { '/': 'http://web' } },
    { listen, names: ['api', 'api.*'], locations: { '/': '503' } },
  ]);
});

test('where no service takes every host, other hosts get a 404, as do paths that none has', () => {
  const { text } = renderer({
    services:
      'web=/test host=www.example.org\napi=/api host=www.example.org path=/api/\nz=/z path=/z host=z',
  }).of([a], [b], [a]);
  expect(serversOf(text)).toEqual([
    { listen: byDefault, names: [], locations: { '/': '404' } },
    {
      ...{ listen, names: ['www.example.org'] },
      locations: { '/': 'http://web', '/api/': 'http://api' },
    },
    { listen, names: ['z'], locations: { '/z/': 'http://z', '/': '404' } },
  ]);
});

test('each way to balance is a directive before keepalive, and no keepalive is none', () => {
  const { text } = renderer({
    services: ['round-robin', 'least-conn', 'ip-hash', 'random', 'hash']
      .map((balance, n) => `s${n}=/s${n} balance=${balance} keepalive=${n * 8}`)
      .join('\n'),
  }).of([a], [a], [a], [a], [a]);
  const http = parseNginx(text).find(({ words }) => words[0] === 'http');
  const upstreams = (http?.block ?? []).filter(({ words }) => words[0] === 'upstream');
  const of = (n: number) => upstreams[n]?.block?.map(({ words }) => words.join(' '));
  const server = 'server 127.0.0.1:8001';
  const idle = 'keepalive_timeout 4s';
  expect(of(0)).toEqual(['zone s0 65k', server]);
  expect(of(1)).toEqual(['zone s1 65k', 'least_conn', server, 'keepalive 8', idle]);
  expect(of(2)).toEqual(['zone s2 65k', 'ip_hash', server, 'keepalive 16', idle]);
  expect(of(3)).toEqual(['zone s3 65k', 'random two least_conn', server, 'keepalive 24', idle]);
  expect(of(4)).toEqual([
    'zone s4 65k',
    'hash $request_uri consistent',
    ...[server, 'keepalive 32', idle],
  ]);
});

test('each service has its own timeouts', () => {
  const { text } = renderer({
    services: 'web=/test\napi=/api connect-timeout=300ms send-timeout=5s read-timeout=2m',
  }).of([a], [b]);
  for (const directive of [
    ...['proxy_connect_timeout 2000ms;', 'proxy_send_timeout 60000ms;'],
    ...[
      'proxy_connect_timeout 300ms;',
      'proxy_send_timeout 5000ms;',
      'proxy_read_timeout 120000ms;',
    ],
  ]) {
    expect(text).toContain(directive);
  }
});
