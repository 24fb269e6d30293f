/**
 * Values of a megabyte, more of them than fit in one message: set aside by
 * their length, and in nobody's way, neither when they are there at the start nor when they come.
 */
import { expect, inject, test } from 'vitest';
import { startBalancer } from '../../scripts/parts/rollcall.ts';
import { openKeys } from '../support/keys.ts';
import { makeNginxSite, untilConfirmed } from '../support/nginx-site.ts';

const megabyte = 1024 * 1024;
/** Together more than the 64 MiB that one answer may be. */
const huge = 70;

test('seventy megabytes below the prefix, and one more while it runs', async () => {
  using keys = await openKeys(inject('etcdUrl'));
  await using site = await makeNginxSite(inject('etcdUrl'), keys.prefix);
  for (let n = 1; n <= huge; n += 1) await keys.put(`huge-${n}`, Buffer.alloc(megabyte, 'x'));
  await keys.put('one', '127.0.0.1:20001');

  await using balancer = await startBalancer(site.flags);
  await site.startNginx();
  await keys.put('huge-more', `127.0.0.1:20007${' '.repeat(megabyte)}`);
  await keys.put('two', '127.0.0.1:20002');

  const { backends } = await untilConfirmed(
    balancer,
    'two backends and every other key set aside',
    (status) => status.backends.length === huge + 3,
  );
  const refused = backends.filter(({ state }) => state === 'set aside');
  expect(refused.map(({ reason }) => reason)).toEqual([
    ...Array.from({ length: huge }, () => `value: ${megabyte} bytes; IP:PORT has at most 64`),
    `value: ${megabyte + 15} bytes; IP:PORT has at most 64`,
  ]);
  expect(await site.upstream()).toEqual(['server 127.0.0.1:20001;', 'server 127.0.0.1:20002;']);
  for (let n = 1; n <= huge; n += 1) await keys.remove(`huge-${n}`);
  await keys.remove('huge-more');
});
