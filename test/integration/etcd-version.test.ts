/**
 * Which etcd is it that these tests ask? Said by the etcd itself, so that no run is on another one
 * than it seems: 3.5 in a container, else the installed 3.4 or 3.5, and the same for a test that
 * starts an etcd of its own.
 */
import type { Etcd3 } from 'etcd3';
import { expect, inject, test } from 'vitest';
import { startEtcd } from '../../scripts/parts/etcd.ts';
import { openEtcdClient } from '../support/etcd-client.ts';

const inContainer = process.env['ROLLCALL_TEST_ETCD'] === 'container';
const tested = inContainer ? /^3\.5\.\d/ : /^3\.[45]\.\d/;

const versionOf = async ({ maintenance }: Etcd3) => (await maintenance.status()).version;

test(`the etcd that all tests share is ${inContainer ? '3.5, in a container' : '3.4 or 3.5'}`, async () => {
  using client = openEtcdClient(inject('etcdUrl'));
  const version = await versionOf(client.etcd);
  expect(version).toMatch(tested);
  const { etcd } = inject('programs');
  expect(etcd.version).toBe(version);
  if (inContainer) expect(etcd.origin).toMatch(/^testcontainers, /);
});

test('an etcd of one test alone is one of those too', async () => {
  await using own = await startEtcd();
  using client = openEtcdClient(own.url);
  const version = await versionOf(client.etcd);
  expect(version).toMatch(tested);
  expect(own.version).toBe(version);
  if (inContainer) expect(version).toBe(inject('programs').etcd.version);
});
