/** The two commands on an etcd with TLS, users and tokens that end, as an operator would run them. */
import { copyFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startApache } from '../../scripts/parts/apache.ts';
import { type LogRecord, startBalancer, startWatchdog } from '../../scripts/parts/rollcall.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { lookEveryMs } from '../../src/registry/etcd/rotation.ts';
import { runCli } from '../support/cli.ts';
import { refusal, startUntouched } from '../support/refusal.ts';
import { makeNginxSite } from '../support/nginx-site.ts';
import { login, type SecuredEtcd, startSecuredEtcd } from '../support/secured-etcd.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { makeWeakCertificate } from '../support/weak-certificate.ts';

const withinMs = 2 * lookEveryMs + 5000;

const flagsOf = ({ etcd, files }: SecuredEtcd) => ({
  ...{ etcd: etcd.url, 'etcd-ca': files.ca, 'etcd-cert': files.cert, 'etcd-key': files.key },
  ...{ 'etcd-user-file': files.user, 'etcd-password-file': files.password },
});

const says = (log: readonly LogRecord[], words: string) =>
  log.some((record) => JSON.stringify(record).includes(words)) || `nothing of ${words}`;

test('a key is held past the end of tokens and through new certificates, and expired ones are named', async () => {
  await using secured = await startSecuredEtcd({ jwtTtl: '2s' });
  const { admin, files, tls } = secured;
  await using apache = await startApache();
  const key = `/test/${apache.name}`;
  const flags = flagsOf(secured);
  await using watchdog = await startWatchdog({ ...flags, key, address: apache.address });
  await using site = await makeNginxSite(secured.etcd.url, '/test');
  await using balancer = await startBalancer({ ...site.flags, ...flags });
  const stored = async () => (await admin.get(key).exec()).kvs[0];
  const isThere = async () => (await stored()) !== undefined || 'no key';
  const inPool = async () => {
    const { backends } = await balancer.status();
    return backends.some((one) => one.state === 'in pool') || JSON.stringify(backends);
  };
  await waitUntil({ expected: 'the key', withinMs }, isThere);
  await waitUntil({ expected: 'a pool of one', withinMs }, inPool);
  const first = await stored();

  // Longer than a token and a lease together.
  await sleep(8000);
  await copyFile(tls.client.cert, files.cert);
  await copyFile(tls.client.key, files.key);
  for (const { log } of [watchdog, balancer]) {
    await waitUntil({ expected: 'new certificates', withinMs }, () =>
      says(log, 'new certificates or password in use'),
    );
  }
  await sleep(1500);
  // The same lease, written once: no gap, and nothing but renewals.
  expect(await stored()).toMatchObject({ lease: first?.lease, version: '1' });
  expect(await inPool()).toBe(true);
  await waitUntil({ expected: 'a session', withinMs }, async () => {
    const { etcd } = await balancer.status();
    return etcd.connected || 'none';
  });
  const troubles = watchdog.log.filter(({ level }) => level !== 'info' && level !== 'debug');
  expect(troubles).toEqual([]);

  await copyFile(tls.expired.cert, files.cert);
  await copyFile(tls.expired.key, files.key);
  const expired = `the certificate in ${files.cert} expired on`;
  await waitUntil({ expected: 'the reason', withinMs }, () => says(watchdog.log, expired));
  await waitUntil({ expected: 'the reason', withinMs }, () => says(balancer.log, expired));
  await waitUntil({ expected: 'the reason in the status', withinMs }, async () => {
    const { registration } = await watchdog.status();
    return registration.includes(expired) || registration;
  });
  expect(await inPool()).toBe(true);
  await copyFile(tls.client.cert, files.cert);
  await copyFile(tls.client.key, files.key);
  await waitUntil({ expected: 'the key', withinMs: 2 * withinMs }, async () => {
    const { registered, registration } = await watchdog.status();
    return (registered && (await isThere())) || registration;
  });

  const told = JSON.stringify([
    ...[...watchdog.log, ...balancer.log],
    ...[await watchdog.status(), await balancer.status()],
  ]);
  expect(told).not.toContain(login.password);
}, 90_000);

test('a permission that is missing is named; user and password that are wrong are told once', async () => {
  await using secured = await startSecuredEtcd();
  await using apache = await startApache();
  const flags = flagsOf(secured);
  const key = `/outside/${apache.name}`;
  await using watchdog = await startWatchdog({ ...flags, key, address: apache.address });
  await waitUntil({ expected: 'the reason', withinMs }, async () => {
    const { registration } = await watchdog.status();
    return registration.includes(`permission denied: user ${login.user} needs to`) || registration;
  });
  expect(says(watchdog.log, key)).toBe(true);

  await writeFile(secured.files.password, 'nobody knows');
  await using stranger = await startWatchdog({ ...flags, key: '/test/a', address: apache.address });
  const reason = 'authentication failed, invalid user ID or password';
  await waitUntil({ expected: 'the reason', withinMs }, async () => {
    const { registration } = await stranger.status();
    return registration.includes(reason) || registration;
  });
  await sleep(3000);
  const lines = stranger.log.filter(({ msg }) => msg === `etcd: user ${login.user}: ${reason}`);
  expect(lines).toHaveLength(1);
  expect(JSON.stringify([stranger.log, await stranger.status()])).not.toContain('nobody knows');
}, 60_000);

test('a dry run by TLS says what it is asked for and no more; refused, it says why on one line', async () => {
  await using secured = await startSecuredEtcd();
  const { admin, files, tls } = secured;
  await admin.put('/test/apache').value('127.0.0.1:20001');
  await using site = await makeNginxSite(secured.etcd.url, '/test');
  const words = Object.entries(flagsOf(secured)).flatMap(([flag, value]) => [`--${flag}`, value]);
  const dryRun = () => runCli(['balancer', ...site.words, ...words, '--dry-run']);
  const { status, stdout, stderr } = await dryRun();
  expect([status, stdout]).toEqual([0, expect.stringContaining('server 127.0.0.1:20001;')]);
  expect(stderr).not.toMatch(/warning/i);

  await copyFile(tls.foreign.cert, files.cert);
  await copyFile(tls.foreign.key, files.key);
  expect(await dryRun()).toMatchObject({
    ...{ status: 1, stdout: '' },
    stderr: expect.stringMatching(
      /^rollcall: .*etcd did not accept the client certificate, or asks for one \(.*\)\n$/,
    ),
  });
}, 60_000);

test('options that cannot be used end either command with one line and status 2', async () => {
  await using world = await startUntouched();
  await using directory = await temporaryDirectory();
  const weak = await makeWeakCertificate(directory.path);
  const secure = world.etcdUrl.replace('http', 'https');
  for (const command of [world.watchdog, world.balancer]) {
    const ca = await world.run([...command, '--etcd-ca', '/etc/ca.pem']);
    expect(ca).toEqual(refusal('--etcd-ca /etc/ca.pem', 'https:// endpoints'));
    const tooWeak = ['--etcd', secure, '--etcd-cert', weak.cert, '--etcd-key', weak.key];
    expect(await world.run([...command, ...tooWeak])).toEqual(
      refusal(`--etcd-cert ${weak.cert}`, 'cannot be used', 'ee key too small'),
    );
    expect(await world.run([...command, '--etcd', 'https://127.0.0.1:0'])).toEqual(
      refusal('--etcd', 'a port between 1 and 65535'),
    );
    const none = ['--etcd-user-file', '/nowhere/user', '--etcd-password-file', '/nowhere/pass'];
    expect(await world.run([...command, ...none])).toEqual(
      refusal('--etcd-user-file /nowhere/user', 'cannot be read', 'ENOENT'),
    );
  }
}, 60_000);
