import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { CodedError } from '../../src/lib/errors.ts';
import { parseAddress } from '../../src/registry/backend.ts';
import { ownAddressTowards } from '../../src/watchdog/own-address.ts';

const towards = (...endpoints: readonly string[]) => ownAddressTowards(endpoints, systemClock);

test.each([
  ['http://127.0.0.1:2379', '127.0.0.1'],
  ['https://127.0.0.1:443', '127.0.0.1'],
  ['http://[::1]:2379', '[::1]'],
])('towards %s this host is %s', async (endpoint, address) => {
  expect(await towards(endpoint)).toBe(address);
});

test('a name is looked up', async () => {
  expect(['127.0.0.1', '[::1]']).toContain(await towards('http://localhost:2379'));
});

test('towards each of its own addresses this host is that address, and it can be written', async () => {
  const own = Object.values(networkInterfaces())
    .flat()
    .filter((one) => one?.family === 'IPv4')
    .map((one) => one?.address ?? '');
  expect(own).toContain('127.0.0.1');
  for (const address of own) {
    const found = await towards(`http://${address}:2379`);
    expect(found).toBe(address);
    expect(parseAddress(`${found}:8001`)).toMatchObject({ ok: true });
  }
});

test('an endpoint that cannot be looked up is passed over', async () => {
  expect(await towards('http://etcd.invalid:2379', 'http://127.0.0.1:2379')).toBe('127.0.0.1');
});

test('no way to any of them is an error that names each with its reason, and no usage error', async () => {
  // No UDP socket may be connected to a broadcast address: the kernel refuses it as it does a missing route.
  const endpoints = ['http://etcd.invalid:2379', 'http://255.255.255.255:2379'];
  const fault = await towards(...endpoints).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(CodedError);
  expect(fault).toMatchObject({ code: 'NO_OWN_ADDRESS' });
  expect(String(fault)).toMatch(
    /etcd\.invalid:2379: .*(ENOTFOUND|EAI_AGAIN).*; .*255:2379: .*EACCES/,
  );
});

test('a look-up that does not end has its deadline', async () => {
  const rushed = { ...systemClock, sleep: () => Promise.resolve() };
  await expect(ownAddressTowards(['http://127.0.0.1:2379'], rushed)).rejects.toThrow(
    'http://127.0.0.1:2379: its look-up: no answer within 6000 ms',
  );
});

test('a stop ends it', async () => {
  const stopped = ownAddressTowards(['http://127.0.0.1:2379'], systemClock, AbortSignal.abort());
  await expect(stopped).rejects.toThrow('aborted');
});
