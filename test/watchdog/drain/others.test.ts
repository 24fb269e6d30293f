import { expect, test } from 'vitest';
import { Notices } from '../../../src/lib/log.ts';
import { warnOfOthers } from '../../../src/watchdog/drain/others.ts';
import { fakeLeaseStore } from '../../support/fake-lease-store.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { never } from '../../support/virtual-clock.ts';

const key = '/test/apache-8001';

async function warned(others: Readonly<Record<string, string>>, away = false) {
  const store = fakeLeaseStore();
  store.put(key, '127.0.0.1:8001', 'ours');
  for (const [other, value] of Object.entries(others)) store.put(other, value);
  if (away) store.beforeAnswer = () => Promise.reject(new Error('etcd is away'));
  const { log, lines } = recordedLog();
  await warnOfOthers({ key, address: '127.0.0.1:8001' }, store, new Notices(log), never);
  return lines;
}

test('the last backend of its prefix is warned of; another one, of any kind that nginx takes, is enough', async () => {
  const last = [expect.stringMatching(/^warn .*last backend/)];
  expect(await warned({})).toEqual(last);
  expect(await warned({ '/test/apache-8002': '127.0.0.1:8002' })).toEqual([]);
  expect(await warned({ '/test/junk': 'junk', '/test/deep/er': '127.0.0.1:1' })).toEqual(last);
  expect(await warned({ '/other/apache': '127.0.0.1:8002' })).toEqual(last);
});

test('another key with the same address is warned of: it is no other backend', async () => {
  const same = { '/test/twin': '{"address":"127.0.0.1:8001","weight":5}' };
  expect(await warned(same)).toEqual([expect.stringMatching(/^warn another key has the same/)]);
});

test('an etcd that does not answer is told by others', async () => {
  expect(await warned({}, true)).toEqual([]);
});
