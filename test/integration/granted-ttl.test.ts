/** etcd grants what it likes: never less than 1.5 times its election timeout. */
import { expect, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { startWatchdog } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';

test('a TTL longer than asked for is said once, and every promise is made anew by it', async () => {
  await using etcd = await startEtcd({
    args: ['--election-timeout', '5000', '--heartbeat-interval', '500'],
  });
  await using apache = await startApache();
  await using watchdog = await startWatchdog({
    ...{ etcd: etcd.url, key: '/test/apache', address: apache.address, ttl: '5s' },
  });
  await waitUntil({ expected: 'the key', withinMs: 15_000 }, async () => {
    const { registered, registration } = await watchdog.status();
    return registered || registration;
  });
  const said = watchdog.log.filter(({ msg }) => msg === 'etcd grants another TTL than --ttl');
  expect(said).toMatchObject([{ level: 'warn', ttlMs: 5000, grantedMs: 8000 }]);
  const { outlivesAtMostMs } = await watchdog.status();
  expect(outlivesAtMostMs).toMatchObject({ unwatchedMs: 8500, unansweredMs: 12_000 });
  const metrics = await (await fetch(`${watchdog.adminUrl}/metrics`)).text();
  expect(metrics).toMatch(/^rollcall_bound_seconds\{case="unwatched"\} 8.5$/m);
});
