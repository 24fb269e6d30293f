/**
 * Each wrong command line of the balancer, as far as the words alone tell: one line, exit status 2,
 * nothing touched (refusal.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal, startUntouched, type Untouched, type Wrong } from '../support/refusal.ts';

let world: Untouched;
beforeAll(async () => void (world = await startUntouched()));
afterAll(() => world[Symbol.asyncDispose]());

const ofPath = 'an absolute path of letters, digits and ./_+@:,=-';
const ofListen = 'what nginx\'s "listen" takes: 80, 127.0.0.1:80, *:80, [::]:80 or unix:/PATH';
const ofReload = 'signal, docker:CONTAINER or exec:COMMAND';
const ofUrl = 'an http:// or https:// URL, such as';

const files: readonly Wrong[] = [
  ['a relative path', ['--nginx-conf', 'nginx.conf'], '--nginx-conf: "nginx.conf"', ofPath],
  ['a second directive', ['--nginx-pid', '/run/a; user root'], '"/run/a; user root"', ofPath],
  ['a line break', ['--error-log', '/var/log/a\nb'], String.raw`"/var/log/a\nb"`, ofPath],
  ['an unknown log', ['--access-log', 'on'], '--access-log: "on"', ofPath],
  ['a relative program', ['--nginx-bin', './nginx'], '--nginx-bin: "./nginx"', ofPath],
];

const prefix: readonly Wrong[] = [
  ['the root', ['--prefix', '/'], '--prefix: "/"', 'a path of letters', 'such as /test'],
  ['without a slash', ['--prefix', 'test'], '--prefix: "test"', 'such as /test'],
  ['with a pattern', ['--prefix', '/test/*'], '--prefix: "/test/*"', 'such as /test'],
];

const services: readonly Wrong[] = [
  ['no name', ['--service', '/a'], '--service: ', 'NAME=/PREFIX first, such as api=/api', '"/a"'],
  [
    'two with one prefix',
    ['--service', 'a=/one', '--service', 'b=/one'],
    'services a and b both have the prefix /one: give each its own',
  ],
  [
    'one prefix below another',
    ['--service', 'a=/one', '--service', 'b=/one/two path=/b/'],
    'the prefix /one/two of b lies below /one of a',
    'give prefixes side by side, such as /one and /b',
  ],
  [
    'two with one name',
    ['--service', 'api=/one', '--service', 'API=/two'],
    'each name once, and API is there twice: call one of them API-2',
  ],
  [
    'two for one host and path',
    ['--service', 'a=/one host=x', '--service', 'b=/two host=X,y'],
    'services a and b would both serve x at /',
    'such as path=/b/',
  ],
  [
    'a setting that is none',
    ['--service', 'a=/one weight=5'],
    'service a: "weight=5" is none of host=, path=, balance=, keepalive=, connect-timeout=,',
  ],
  [
    'a setting with a directive',
    ['--service', 'a=/one path=/;include'],
    'service a: "path=/;include" is not accepted: ',
    'a path of letters',
  ],
  [
    'beside the prefix',
    ['--prefix', '/one', '--service', 'a=/one'],
    '--prefix /one and --service contradict each other: give --service backend=/one instead',
  ],
  [
    'among the records',
    ['--service', 'a=/rollcall/a'],
    '--record-prefix /rollcall cannot go with --service a=/rollcall/a: ',
    'such as /rollcall-records',
  ],
];

const times: readonly Wrong[] = [
  [
    'a settle longer than its most',
    ['--settle', '2s', '--settle-max', '1500ms'],
    '--settle 2s is longer than --settle-max 1500ms: give --settle-max 2s or more',
  ],
  ['a share above all', ['--hold-above', '150%'], '--hold-above: "150%"', '0% to 100%'],
  ['a share without its sign', ['--hold-above', '0.5'], '--hold-above: "0.5"', 'such as 50%'],
  ['a lease below what etcd grants', ['--ttl', '1s'], '--ttl: "1s"', '2s', '5m'],
  ['a hold below a second', ['--hold', '999ms'], '--hold: "999ms"', '1s', '10m'],
  ['a single generation', ['--max-generations', '1'], '--max-generations: "1"', '2 and 100'],
];

/** Of nginx, or ours to write; each is written over whatever is there. */
const state: readonly Wrong[] = [
  ...['--nginx-conf', '--nginx-pid', '--template', '--error-log', '--access-log'].map(
    (flag): Wrong => [
      `that of ${flag}`,
      [flag, '/one/file', '--state', '/one/file'],
      `--state and ${flag} are both /one/file: `,
      'such as /one/file.state',
    ],
  ),
  ['a relative path', ['--state', 'state'], '--state: "state"', ofPath],
];

const listen: readonly Wrong[] = [
  ['port 0', ['--listen', '0'], '--listen: "0"', ofListen],
  ['port 65536', ['--listen', '127.0.0.1:65536'], '--listen: "127.0.0.1:65536"', ofListen],
  ['with a parameter', ['--listen', '80 default_server'], '"80 default_server"', ofListen],
  ['with a directive', ['--listen', '80; } server { listen 81'], '--listen: "80; }', ofListen],
  ['bare IPv6', ['--listen', '::1'], '--listen: "::1"', ofListen],
  ['IPv6 that is none', ['--listen', '[::1::]:80'], '--listen: "[::1::]:80"', ofListen],
];

const confirmation: readonly Wrong[] = [
  [
    'by a unix socket',
    ['--confirm-listen', 'unix:/run/a'],
    '--confirm-listen: "unix:/run/a"',
    'a TCP address such as 127.0.0.1:8079',
  ],
  [
    'where nginx serves',
    ['--listen', '127.0.0.1:8079'],
    '--listen and --confirm-listen are both 127.0.0.1:8079',
    'an address of its own',
  ],
  [
    'on another port',
    ['--confirm-url', 'http://127.0.0.1:8078/'],
    '--confirm-url http://127.0.0.1:8078/',
    '--confirm-listen 127.0.0.1:8079',
    'the same port',
  ],
  ['by another scheme', ['--confirm-url', 'tcp://127.0.0.1:8079'], '--confirm-url: "tcp:', ofUrl],
];

const reload: readonly Wrong[] = [
  ['by a signal of its own', ['--reload', 'SIGHUP'], '--reload: "SIGHUP"', ofReload],
  ['of no container', ['--reload', 'docker:'], '--reload: "docker:"', ofReload],
  ['of a path of the engine', ['--reload', 'docker:a/../b'], '"docker:a/../b"', ofReload],
  ['by no command', ['--reload', 'exec: '], '--reload: "exec: "', ofReload],
];

const modes: readonly Wrong[] = [
  ['both', ['--once', '--dry-run'], '--once and --dry-run contradict each other', 'give one'],
];

describe.concurrent.each([
  ['files and programs', files],
  ['the prefix', prefix],
  ['the services', services],
  ['times and shares', times],
  ['the file of the state', state],
  ['where nginx listens', listen],
  ['the confirmation', confirmation],
  ['the reload', reload],
  ['once and dry-run', modes],
])('%s', (_, table) => {
  test.for(table)('%s', async ([, given, ...says]) => {
    expect(await world.run([...world.balancer, ...given])).toEqual(refusal(...says));
  });
});
