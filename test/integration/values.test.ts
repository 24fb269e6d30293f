/**
 * Whatever stands below the prefix, put there by hand: what can be a backend is one, everything
 * else is set aside with its reason, is told once, and stands in nobody's way.
 */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Apache, startApache } from '../../scripts/parts/apache.ts';
import { httpGet } from '../../scripts/parts/http-get.ts';
import { type Rollcall, startBalancer } from '../../scripts/parts/rollcall.ts';
import type { BalancerStatus } from '../../scripts/parts/status.ts';
import { type Keys, openKeys } from '../support/keys.ts';
import { makeNginxSite, type NginxSite, untilConfirmed } from '../support/nginx-site.ts';

const notAddress = 'value: it is not IP:PORT';
const aName = 'value: it is a name';
const inBrackets = 'value: an IPv6 address is written in brackets with a port';
const badPort = 'value: the port is not 1 to 65535';
const tooLong = 'bytes; IP:PORT has at most 64';
const notBelow = 'key: it is not directly below';
const badKey = 'key: a part is empty or has characters other than';

/** Name below the prefix, value, and the beginning or a part of the reason. */
const setAside: readonly (readonly [name: string, value: string | Buffer, reason: string])[] = [
  ['v-empty', '', 'value: it is empty'],
  ['v-text', 'hello', notAddress],
  ['v-host-only', '127.0.0.1', notAddress],
  ['v-url', 'http://127.0.0.1:80', notAddress],
  ['v-json', '{"host":"127.0.0.1","port":80}', 'value: it is JSON without an "address"'],
  ['v-json-broken', '{"address":"127.0.0.1:80"', 'value: it is not JSON'],
  ['v-json-name', '{"address":"localhost:80"}', 'value: its "address": it is a name'],
  ['v-json-directive', '{"address":"127.0.0.1:80; include x"}', 'value: its "address": it is not'],
  ['v-json-weight', '{"address":"127.0.0.1:80","weight":"5 max_fails=0"}', 'value: its "weight"'],
  ['v-json-meta', '{"address":"127.0.0.1:80","meta":{"a":"b;c"}}', 'value: its "meta"'],
  ['v-json-twice', '{"address":"127.0.0.1:80","address":"127.0.0.1:81"}', 'value: a name stands'],
  ['v-json-bom', '\uFEFF{"address":"127.0.0.1:80"}', notAddress],
  ['v-json-long', `{"address":"127.0.0.1:80"}${' '.repeat(2048)}`, 'value: 2074 bytes; a JSON'],
  ['zz-json-twice', '{"address":"127.0.0.1:20001"}', 'value: 127.0.0.1:20001 is already'],
  ['v-port-0', '127.0.0.1:0', badPort],
  ['v-port-65536', '127.0.0.1:65536', badPort],
  ['v-octal', '127.0.0.01:80', notAddress],
  ['v-name', 'apache.example:80', aName],
  ['v-localhost', 'localhost:80', aName],
  ['v-ipv6-bare', '::1', inBrackets],
  ['v-ipv6-bare-port', '2001:db8::1:8001', inBrackets],
  ['v-two-lines', '127.0.0.1:80\n127.0.0.1:81', notAddress],
  ['v-blank-line', '127.0.0.1:80\n\n', notAddress],
  ['v-directive', '127.0.0.1:80; } server { listen 1', notAddress],
  ['v-parameter', '127.0.0.1:80 weight=9', notAddress],
  ['v-comment', '127.0.0.1:80#', notAddress],
  ['v-quotes', '"127.0.0.1:80"', notAddress],
  ['v-apostrophes', "'127.0.0.1:80'", notAddress],
  ['v-variable', '${upstream_addr}:80', notAddress],
  ['v-template', '{{ pid }}:80', 'value: it is not JSON'],
  ['v-tag', "{% include 'confirm' %}", 'value: it is not JSON'],
  ['v-placeholder', '@generation@:80', notAddress],
  ['v-unix', 'unix:/tmp/socket', notAddress],
  ['v-nul', '127.0.0.1:80\0', notAddress],
  ['v-not-utf8', Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]), notAddress],
  ['v-65-bytes', '1'.repeat(67), `value: 67 ${tooLong}`],
  ['twice', '127.0.0.1:20001', 'value: 127.0.0.1:20001 is already the address of /'],
  ['v6-twice', '[0:0::1]:20006', 'value: [::1]:20006 is already the address of /'],
  ['nested/backend', '127.0.0.1:20009', notBelow],
  ['a b', '127.0.0.1:20010', badKey],
  ['a;b', '127.0.0.1:20011', badKey],
  ['a\nb', '127.0.0.1:20012', badKey],
  ['', '127.0.0.1:20013', badKey],
];

let apache: Apache;
let keys: Keys;
let site: NginxSite;
let balancer: Rollcall<BalancerStatus>;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  keys = stack.use(await openKeys(inject('etcdUrl')));
  apache = stack.use(await startApache());
  site = stack.use(await makeNginxSite(inject('etcdUrl'), keys.prefix));
  await keys.put('apache', apache.address);
  balancer = stack.use(await startBalancer(site.flags));
  await site.startNginx();
});
afterAll(() => stack.disposeAsync());

test('all of it at once: the backends are served, the rest is set aside with its reason', async () => {
  await keys.put('once', '127.0.0.1:20001');
  await keys.put('v-json-weighty', '{"address":"127.0.0.1:20003","weight":5,"since":[1]}');
  await keys.put(
    'v-json-pretty',
    '\n{\n  "address": "127.0.0.1:20004",\n  "meta": {"a": "b"}\n}\n',
  );
  await keys.put('v4-line-break', '127.0.0.1:20002\n');
  await keys.put('v6', '[::1]:20006');
  await keys.put('v6-longest', '[2001:0DB8:0000:0000:0000:0000:0000:0001]:20007\r\n');
  for (const [name, value] of setAside) await keys.put(name, value);

  const { backends, generation } = await untilConfirmed(
    balancer,
    'every key to be in its place',
    (status) => status.backends.length === setAside.length + 7,
  );

  const heavy = '127.0.0.1:20003';
  const expected = [
    ...[apache.address, '127.0.0.1:20001', '127.0.0.1:20004', heavy, '127.0.0.1:20002'],
    ...['[::1]:20006', '[2001:db8::1]:20007'],
  ];
  expect(addressesOf(backends)).toEqual(expected);
  expect(await site.upstream()).toEqual(
    expected.map((one) => `server ${one}${one === heavy ? ' weight=5' : ''};`),
  );
  expect(await site.served()).toBe(generation.wanted);
  const { headers, body } = await httpGet(site.url, 5000);
  expect([body.includes(apache.name), headers['x-handler']]).toEqual([true, expect.any(String)]);

  const refused = backends.filter(({ state }) => state === 'set aside');
  for (const [name, , reason] of setAside) {
    const one = refused.find(({ key }) => key === keyAsShown(name));
    expect({ name, reason: one?.reason }).toEqual({
      name,
      reason: expect.stringContaining(reason),
    });
  }
});

test('each is told once in the log, and counted', async () => {
  // A few turns later it is no news.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  const told = balancer.log.filter(({ msg }) => msg.startsWith('key set aside'));
  expect(told.map(({ key }) => String(key)).toSorted()).toEqual(
    setAside.map(([name]) => keyAsShown(name)).toSorted(),
  );
  expect(
    told.every(({ level, reason, msg }) => level === 'warn' && msg.endsWith(String(reason))),
  ).toBe(true);
  const { body } = await httpGet(`${balancer.adminUrl}/metrics`, 1000);
  expect(body).toContain(
    `rollcall_pool_backends{service="backend",state="set_aside"} ${setAside.length}\n`,
  );
  expect(body).toContain('rollcall_pool_backends{service="backend",state="in_pool"} 7\n');
});

test('what is put right is a backend, what is removed is forgotten, and both are told', async () => {
  await keys.put('v-name', '127.0.0.1:20014');
  await keys.remove('once');
  await keys.remove('v-text');
  const { backends } = await untilConfirmed(
    balancer,
    'the name put right',
    ({ backends: all }) => all.length === setAside.length + 5,
  );
  expect(addressesOf(backends)).toContain('127.0.0.1:20014');
  // The address that two keys had is now that of the second.
  expect(backends).toContainEqual({
    ...{ service: 'backend', key: keys.key('twice'), address: '127.0.0.1:20001' },
    ...{ weight: 1, meta: {}, state: 'in pool' },
  });
  const told = balancer.log.filter(({ msg }) => msg === 'key no longer set aside');
  expect(told.map(({ key }) => String(key)).toSorted()).toEqual(
    ['twice', 'v-name', 'v-text'].map((name) => keys.key(name)).toSorted(),
  );
});

const addressesOf = (backends: BalancerStatus['backends']) =>
  backends.filter(({ state }) => state === 'in pool').map(({ address }) => address);

/** A key that is no backend may hold anything, and is shown on one line. */
function keyAsShown(name: string): string {
  const key = keys.key(name);
  return /[^\w./-]/.test(key) ? JSON.stringify(key) : key;
}
