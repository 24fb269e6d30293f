/** Certificates that are rotated, refused and wrong, on a real etcd that asks clients for one. */
import { copyFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { waitUntil } from '../../scripts/parts/wait-until.ts';
import { messageOf } from '../../src/lib/errors.ts';
import type { EtcdFiles } from '../../src/registry/etcd/credentials.ts';
import type { EtcdEvent } from '../../src/registry/etcd/events.ts';
import { lookEveryMs } from '../../src/registry/etcd/rotation.ts';
import { key, openStores, reasonOf, tells, unhurried, watched } from '../support/etcd-stores.ts';
import { startSecuredEtcd } from '../support/secured-etcd.ts';

const stallMs = 1500;

test('certificates are rotated under way: half-written and refused ones cost neither lease nor watch', async () => {
  await using secured = await startSecuredEtcd();
  const { files, tls, etcd } = secured;
  await using store = await openStores(etcd.url, files);
  await using watch = watched(store);
  await tells(store, watch.told);
  const { leaseId, ttlMs } = await store.leases.grantLease(3000, unhurried);
  await store.leases.change([], [{ kind: 'put', key, value: '127.0.0.1:1', leaseId }], unhurried);
  const renewing = async () => {
    // The keeper's rhythm: none of them may fail, whatever happens to the files.
    expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);
    expect(await store.leases.readKeys([key], unhurried)).toMatchObject([{ leaseId }]);
    return store.kinds();
  };
  const until = (kind: EtcdEvent['kind']) =>
    waitUntil({ expected: kind, withinMs: 2 * lookEveryMs + stallMs }, async () => {
      const kinds = await renewing();
      return kinds.includes(kind) || kinds.join();
    });

  // The certificate is another, and the key still the old one's.
  await copyFile(tls.client.cert, files.cert);
  await until('credentials-kept');
  await sleep(lookEveryMs);
  await renewing();
  await sleep(lookEveryMs);
  await renewing();
  expect(store.events).toEqual([
    {
      kind: 'credentials-kept',
      reason: `${files.key}: it is not the key of the certificate in ${files.cert}`,
    },
  ]);
  await copyFile(tls.client.key, files.key);
  await until('credentials-changed');
  await renewing();
  await renewing();

  // Well written, and not accepted: calls say so, what goes on goes on.
  await copyFile(tls.expired.cert, files.cert);
  await copyFile(tls.expired.key, files.key);
  const read = () => reasonOf(store.leases.readKeys([key], unhurried));
  await waitUntil({ expected: 'the reason', withinMs: 2 * lookEveryMs + stallMs }, async () => {
    const reason = await read();
    return reason.includes(`the certificate in ${files.cert} expired on`) || reason;
  });
  for (let n = 0; n < 5; n += 1) {
    expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);
  }
  await copyFile(tls.client.cert, files.cert);
  await copyFile(tls.client.key, files.key);
  await waitUntil({ expected: 'an answer', withinMs: 2 * lookEveryMs + stallMs }, async () => {
    expect(await store.leases.renewLease(leaseId, unhurried)).toBe(ttlMs);
    const answer = await read();
    return answer.startsWith('answered') || answer;
  });
  await renewing();
  watch.told.changes = 0;
  await tells(store, watch.told);
  expect(watch.told.ended).toBe('');
}, 60_000);

test('certificates that are refused are replaced by those that are not, without a restart', async () => {
  await using secured = await startSecuredEtcd();
  const { files, tls, etcd } = secured;
  for (const [from, to] of [
    [tls.foreign.cert, files.cert],
    [tls.foreign.key, files.key],
  ] as const) {
    await copyFile(from, to);
  }
  await using store = await openStores(etcd.url, files);
  const grantOne = () => store.leases.grantLease(5000, unhurried);
  // The alert is of the TLS that etcd is built with: Debian's 3.4 says the first, its 3.5 the second.
  const notAccepted =
    /did not accept the client certificate, or asks for one \(.*alert (bad certificate|unknown ca)/;
  expect(await reasonOf(grantOne())).toMatch(notAccepted);
  expect(await reasonOf(store.leases.renewLease('1', unhurried))).toMatch(notAccepted);
  await copyFile(tls.client.cert, files.cert);
  await copyFile(tls.client.key, files.key);
  await waitUntil({ expected: 'a lease', withinMs: 2 * lookEveryMs + stallMs }, () =>
    grantOne().then(() => true as const, messageOf),
  );
});

test('each certificate that is not right says so on one line that stays the same', async () => {
  await using secured = await startSecuredEtcd();
  const { files, tls, etcd } = secured;
  await using stale = await startEtcd({ tls: { ...tls.expired, clientCa: tls.ca.cert } });
  const certificates = { ca: files.ca, cert: files.cert, key: files.key };
  const cases: readonly (readonly [string, EtcdFiles, string])[] = [
    [etcd.url, { ...certificates, ca: tls.otherCa.cert }, "etcd's certificate: unable to verify"],
    [stale.url, certificates, "etcd's certificate: certificate has expired"],
    [etcd.url, { ca: files.ca }, 'etcd did not accept the client certificate, or asks for one'],
    [etcd.url, { ...certificates, ...tls.expired }, `in ${tls.expired.cert} expired on 20`],
    [etcd.url.replace('https', 'http'), {}, 'does it want https://?'],
  ];
  for (const [url, given, words] of cases) {
    await using store = await openStores(url, given);
    const grantOne = () => reasonOf(store.leases.grantLease(5000, unhurried));
    const reason = await grantOne();
    expect(reason).toContain(`etcd lease grant at ${url}: `);
    expect(reason).toContain(words);
    expect(await grantOne()).toBe(reason);
  }
});
