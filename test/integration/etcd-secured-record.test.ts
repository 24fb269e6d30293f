/** The right to write records is taken away under way: that must not keep a dead backend's key. */
import { expect, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { startWatchdog } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { login, startSecuredEtcd } from '../support/secured-etcd.ts';

const withinMs = 15_000;

test('the record may not be written any more: the key goes long before its lease, and the log says what is missing', async () => {
  await using secured = await startSecuredEtcd();
  const { admin, etcd, files } = secured;
  await using apache = await startApache();
  const key = `/test/${apache.name}`;
  await using watchdog = await startWatchdog({
    ...{ etcd: etcd.url, 'etcd-ca': files.ca, 'etcd-cert': files.cert, 'etcd-key': files.key },
    ...{ 'etcd-user-file': files.user, 'etcd-password-file': files.password },
    ...{ key, address: apache.address, ttl: '60s' },
  });
  const inEtcd = async () => (await admin.get(key).exec()).kvs[0];
  await waitUntil({ expected: 'the key', withinMs }, async () =>
    (await inEtcd()) ? true : 'no key',
  );
  const { lease } = (await inEtcd()) ?? expect.unreachable();

  await admin.auth.roleRevokePermission({
    ...{ role: 'sidecar', key: Buffer.from('/rollcall/'), range_end: Buffer.from('/rollcall0') },
  });
  await apache.kill();
  await waitUntil({ expected: 'no key', withinMs }, async () =>
    (await inEtcd()) ? 'the key' : true,
  );
  // The lease is alive, so it was not its end that took the key.
  const { TTL } = await admin.leaseClient.leaseTimeToLive({ ID: lease });
  expect(Number(TTL)).toBeGreaterThan(0);

  const denied = `permission denied: user ${login.user} needs to write every key of the lease`;
  await waitUntil({ expected: 'the permission that is missing', withinMs }, () => {
    const warnings = watchdog.log.filter(({ level }) => level === 'warn' || level === 'error');
    return (
      warnings.some(({ reason }) => String(reason).endsWith(denied)) || JSON.stringify(warnings)
    );
  });
  expect((await watchdog.status()).registered).toBe(false);
  // It stays away: nothing that is still under way brings it back.
  expect(await inEtcd()).toBeUndefined();
}, 60_000);
