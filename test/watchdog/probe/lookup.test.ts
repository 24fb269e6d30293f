/** Names: looked up for each probe, within its deadline, and never twice at a time. */
import type { LookupFunction } from 'node:net';
import { expect, test } from 'vitest';
import { httpServer } from '../../support/local-server.ts';
import { httpTarget, open, probeOnce, tcpTarget } from './probing.ts';

type Callback = Parameters<LookupFunction>[2];

const named = (url: string, name = 'web1.invalid') => url.replace('127.0.0.1', name);

/** As the system answers where there is no such name. */
const notFound: LookupFunction = (hostname, _options, callback) => {
  const words = `getaddrinfo ENOTFOUND ${hostname}`;
  const about = { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname };
  callback(Object.assign(new Error(words), about), '');
};

test.each(['http', 'tcp'] as const)('%s: a name that is not found', async (kind) => {
  const url = 'http://web1.invalid:8001/';
  const target = kind === 'http' ? httpTarget(url) : tcpTarget(url);
  expect(await probeOnce(target, notFound)).toMatchObject({
    ...{ passed: false, kind: 'lookup', phase: 'lookup' },
    reason: 'name not found: ENOTFOUND web1.invalid',
  });
});

test('a name that moves is followed', async () => {
  await using server = await httpServer((_request, response) => response.end());
  let address = '127.0.0.9';
  const moving: LookupFunction = (_name, _options, callback) =>
    void setImmediate(() => callback(null, [{ address, family: 4 }]));
  using probing = open(httpTarget(named(server.url)), moving);
  expect(await probing.probe()).toMatchObject({ kind: 'refused' });
  address = '127.0.0.1';
  expect(await probing.probe()).toMatchObject({ passed: true });
});

test('with a DNS that is silent each probe ends in time, and one look-up is under way', async () => {
  await using server = await httpServer((_request, response) => response.end());
  const asked: Callback[] = [];
  const target = httpTarget(named(server.url), { timeoutMs: 50 });
  using probing = open(target, (_name, _options, callback) => asked.push(callback));
  for (let n = 0; n < 3; n += 1) {
    expect(await probing.probe()).toMatchObject({
      ...{ passed: false, kind: 'timeout', phase: 'lookup' },
      reason: 'timeout: no answer within 50 ms (in lookup)',
    });
  }
  expect(asked).toHaveLength(1);
  // What comes too late for them is in time for the next.
  using patient = open({ ...target, timeoutMs: 5000 }, (_name, _options, callback) =>
    setTimeout(() => callback(null, [{ address: '127.0.0.1', family: 4 }]), 100),
  );
  expect(await patient.probe()).toMatchObject({ passed: true });
  asked[0]?.(null, [{ address: '127.0.0.1', family: 4 }]);
});

test('an address is not looked up', async () => {
  await using server = await httpServer((_request, response) => response.end());
  const asked: string[] = [];
  await probeOnce(httpTarget(server.url), (name) => asked.push(name));
  expect(asked).toEqual([]);
});
