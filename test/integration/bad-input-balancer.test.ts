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
  ['where nginx listens', listen],
  ['the confirmation', confirmation],
  ['the reload', reload],
  ['once and dry-run', modes],
])('%s', (_, table) => {
  test.for(table)('%s', async ([, given, ...says]) => {
    expect(await world.run([...world.balancer, ...given])).toEqual(refusal(...says));
  });
});
