/**
 * Each wrong command line of the watchdog: one line, exit status 2, nothing touched (refusal.ts).
 */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../scripts/parts/ports.ts';
import { refusal, startUntouched, type Untouched, type Wrong } from '../support/refusal.ts';

let world: Untouched;
beforeAll(async () => void (world = await startUntouched()));
afterAll(() => world[Symbol.asyncDispose]());

const inDuration = 'a number and its unit, such as 250ms, 5s or 1m';
const ofAddress = 'IP:PORT, such as 172.17.8.101:8001';
const ofKey = '/PREFIX/NAME, such as /test/apache-8001';
const ofUrl = 'an http:// or https:// URL, such as http://127.0.0.1:8001/';
const ofEtcd = 'URLs with a port and no path, such as http://10.0.0.1:2379';

const key: readonly Wrong[] = [
  ['outside any prefix', ['--key', '/apache-8001'], '--key: "/apache-8001"', ofKey, 'prefix'],
  ['without a slash', ['--key', 'test/apache'], '--key: "test/apache"', ofKey, 'begin with /'],
  ['with a space', ['--key', '/test/a b'], '--key: "/test/a b"', ofKey, 'letters, digits'],
  ['with a line break', ['--key', '/test/a\n'], String.raw`--key: "/test/a\n"`, ofKey],
  ['with an empty part', ['--key', '/test//a'], '--key: "/test//a"', ofKey, 'a part is empty'],
  ['that is a prefix', ['--key', '/test/'], '--key: "/test/"', ofKey, 'a part is empty'],
  ['without end', ['--key', `/test/${'a'.repeat(9000)}`], '--key: "/test/aaa', 'longer than'],
];

const address: readonly Wrong[] = [
  ['with a line break', ['--address', '127.0.0.1:8\n0'], String.raw`"127.0.0.1:8\n0"`, ofAddress],
  [
    'with a line break at its end',
    ['--address', '127.0.0.1:80\n'],
    String.raw`127.0.0.1:80\n"`,
    ofAddress,
  ],
  ['with a directive', ['--address', '127.0.0.1:80; }'], '"127.0.0.1:80; }"', ofAddress],
  ['that is a name', ['--address', 'apache:80'], '--address: "apache:80"', ofAddress, 'a name'],
  ['without a port', ['--address', '127.0.0.1'], '--address: "127.0.0.1"', ofAddress],
  ['as bare IPv6', ['--address', '2001:db8::1:80'], '"2001:db8::1:80"', ofAddress, 'brackets'],
  ['on port 0', ['--address', '127.0.0.1:0'], '"127.0.0.1:0"', ofAddress, '1 to 65535'],
  ['on port 65536', ['--address', '127.0.0.1:65536'], '65536"', ofAddress, '1 to 65535'],
  ['out of range', ['--address', '127.0.0.256:80'], '"127.0.0.256:80"', ofAddress],
];

const probe: readonly Wrong[] = [
  ['a URL that is none', ['--probe', 'apache'], '--probe: "apache"', ofUrl],
  ['another scheme', ['--probe', 'ftp://127.0.0.1/'], '--probe: "ftp://127.0.0.1/"', ofUrl],
  ['a password', ['--probe', 'http://a:b@127.0.0.1/'], '--probe: ', 'without a user or password'],
];

const times: readonly Wrong[] = [
  ['without a unit', ['--interval', '5'], '--interval: "5"', inDuration],
  ['in an unknown unit', ['--timeout', '1h'], '--timeout: "1h"', inDuration],
  ['below zero', ['--interval=-1s'], '--interval: "-1s"', inDuration],
  ['a TTL of a fraction', ['--ttl', '2.5s'], '--ttl: "2.5s"', 'whole seconds, such as 5s'],
  ['a TTL that etcd makes longer', ['--ttl', '1s'], '--ttl: "1s"', 'between 2s and 10m'],
  ['a TTL that cannot hold', ['--interval', '10s'], '--ttl 5s', '--interval 10s', 'give --ttl 15s'],
  ['a long probe', ['--timeout', '3s'], '--ttl 5s', '--timeout 3s', 'give --ttl 9s or more'],
  ['a patient fall', ['--fall', '5'], '--ttl 5s cannot hold', '--fall 5', 'give --ttl 9s or more'],
  [
    'a TTL beyond what may be given',
    ['--fall', '100', '--timeout', '60s'],
    '--ttl 5s cannot hold',
    'a shorter --timeout or a smaller --fall',
  ],
  [
    'faster when all is well',
    ['--fast-interval', '2s'],
    '--fast-interval 2s is longer than --interval 1s',
    'give at most 1s',
  ],
  ['a rise of 0', ['--rise', '0'], '--rise: "0"', 'a whole number between 1 and 100'],
  ['half a fall', ['--fall', '1.5'], '--fall: "1.5"', 'a whole number between 1 and 100'],
];

const shared: readonly Wrong[] = [
  ['a level', ['--log-level', 'inof'], '--log-level: "inof"', 'one of debug, info, warn, error'],
  ['an admin port alone', ['--admin', '9100'], '--admin: "9100"', 'such as 127.0.0.1:9100'],
  ['an admin port too high', ['--admin', 'localhost:70000'], 'localhost:70000', 'HOST:PORT'],
  ['etcd as host:port', ['--etcd', '127.0.0.1:2379'], '--etcd: "127.0.0.1:2379"', ofEtcd],
  ['etcd with a path', ['--etcd', 'http://127.0.0.1:2379/v3'], '--etcd: ', '/v3"', ofEtcd],
  [
    'etcd with and without TLS',
    ['--etcd', 'http://127.0.0.1:1,https://127.0.0.1:2'],
    '--etcd: "http://127.0.0.1:1,https://127.0.0.1:2"',
    'either http:// or https:// for all of them',
  ],
  ['etcd twice', ['--etcd', 'http://127.0.0.1:1,http://127.0.0.1:1'], '--etcd: ', 'each endpoint'],
  ['no etcd', ['--etcd', ','], '--etcd: ","', ofEtcd],
];

describe.concurrent.each([
  ['the key', key],
  ['the address', address],
  ['the probe', probe],
  ['times and counts', times],
  ['what the commands share', shared],
])('%s', (_, table) => {
  test.for(table)('%s', async ([, given, ...says]) => {
    expect(await world.run([...world.watchdog, ...given])).toEqual(refusal(...says));
  });
});

test.concurrent.for([
  ['--key', ['--address', '127.0.0.1:8001']],
  ['--address', ['--key', '/test/apache-8001']],
] as const)('%s is missing', async ([missing, given]) => {
  const variable = `ROLLCALL_${missing.slice(2).toUpperCase()}`;
  const ran = await world.run(['watchdog', '--etcd', world.etcdUrl, ...given]);
  expect(ran).toEqual(refusal(`${missing} `, 'is required', variable));
});

test.concurrent('the admin address is taken', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  try {
    const admin = `127.0.0.1:${port}`;
    const says = ['--admin', admin, 'EADDRINUSE'];
    for (const line of [world.watchdog, world.balancer]) {
      expect(await world.run([...line, '--admin', admin])).toEqual(refusal(...says));
    }
  } finally {
    other.close();
  }
});
