import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyPool, patchedPool, poolOf } from '../../../src/balancer/pool/pool.ts';
import type { StoredKey } from '../../../src/registry/store.ts';
import { backend, storedKey } from '../../support/builders.ts';

test('backends come out by key, whatever order they went in', () => {
  const pool = poolOf('/test', [
    storedKey('/test/b', '127.0.0.1:8002'),
    storedKey('/test/a', '127.0.0.1:8001\n'),
  ]);
  expect(pool).toMatchObject({ backends: [backend('a', 8001), backend('b', 8002)], setAside: [] });
});

test('an address is in the pool once: its first key has it', () => {
  const { backends, setAside } = poolOf('/test', [
    storedKey('/test/b', '[2001:db8:0::1]:80'),
    storedKey('/test/a', '[2001:DB8::1]:80'),
  ]);
  expect(backends.map(({ key }) => key)).toEqual(['/test/a']);
  expect(setAside).toEqual([
    {
      ...{ key: '/test/b', duplicateOf: '/test/a' },
      reason: 'value: [2001:db8::1]:80 is already the address of /test/a',
    },
  ]);
});

test('a value with metadata is a backend like a plain one, and has its address once', () => {
  const { backends, setAside } = poolOf('/test', [
    storedKey('/test/a', '{"address":"127.0.0.1:8001","weight":5,"meta":{"zone":"east"}}'),
    storedKey('/test/b', '127.0.0.1:8001'),
    storedKey('/test/c', '{"address":"127.0.0.1:8003","weight":0}'),
  ]);
  expect(backends).toEqual([{ ...backend('a', 8001), weight: 5, meta: { zone: 'east' } }]);
  expect(setAside).toEqual([
    {
      ...{ key: '/test/b', duplicateOf: '/test/a' },
      reason: 'value: 127.0.0.1:8001 is already the address of /test/a',
    },
    { key: '/test/c', reason: 'value: its "weight" is not a whole number from 1 to 1000' },
  ]);
});

test('what is no backend is set aside with its reason and harms nobody', () => {
  const { backends, setAside } = poolOf('/test', [
    storedKey('/test/a', '127.0.0.1:8001'),
    storedKey('/test/empty', ''),
    storedKey('/test/name', 'apache.example.org:80'),
    storedKey('/test/huge', '127.0.0.1:80', { valueBytes: 1_048_576 }),
    storedKey('/test/deeper/c', '127.0.0.1:8003'),
  ]);
  expect(backends).toEqual([backend('a', 8001)]);
  expect(setAside).toEqual([
    { key: '/test/deeper/c', reason: 'key: it is not directly below /test/' },
    { key: '/test/empty', reason: 'value: it is empty' },
    { key: '/test/huge', reason: 'value: 1048576 bytes; IP:PORT has at most 64' },
    { key: '/test/name', reason: expect.stringContaining('it is a name') },
  ]);
});

test('a key of any kind is shown on one line and not without end', () => {
  const { setAside } = poolOf('/test', [
    storedKey('/test/a\n\u001b[31mb', '127.0.0.1:8001'),
    storedKey(`/test/${'x'.repeat(5000)}`, '127.0.0.1:8001'),
  ]);
  const shown = setAside.map(({ key }) => key);
  expect(shown[0]).toBe(String.raw`"/test/a\n\u001b[31mb"`);
  expect(shown[1]).toHaveLength(127);
});

test('nothing below the prefix is an empty pool', () => {
  expect(poolOf('/test', [])).toMatchObject({ backends: [], setAside: [] });
});

test('from one moment to the next: patched, where that is possible, it is the pool read anew', () => {
  const anyKey = fc.tuple(
    fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
    fc.oneof(
      { weight: 9, arbitrary: fc.nat(12).map((n) => `127.0.0.1:${n + 1}`) },
      { weight: 1, arbitrary: fc.constantFrom('none', '') },
    ),
  );
  const anyStep = fc.array(anyKey, { minLength: 1, maxLength: 3 });
  let patches = 0;
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 12 }), (steps) => {
      const keys = new Map<string, StoredKey>();
      let pool = emptyPool;
      for (const step of steps) {
        for (const [name, value] of step) {
          const key = `/test/${name}`;
          if (value === '') keys.delete(key);
          else keys.set(key, storedKey(key, value));
        }
        const changed = step.map(([name]) => `/test/${name}`);
        const patched = patchedPool('/test', pool, keys, [...new Set(changed)]);
        pool = poolOf('/test', keys.values());
        if (patched) expect(patched).toEqual(pool);
        patches += Number(patched !== undefined);
      }
    }),
    { numRuns: 500 },
  );
  expect(patches).toBeGreaterThan(500);
});

test('of a large pool in which one changes, the rest is taken over', () => {
  const all = Array.from({ length: 1000 }, (_, n) =>
    storedKey(`/test/${1000 + n}`, `127.0.0.1:${1000 + n}`),
  );
  const before = poolOf('/test', all);
  const moved = storedKey('/test/1500', '127.0.0.1:9');
  const keys = new Map(all.map((one) => [one.key, one])).set(moved.key, moved);
  const after = patchedPool('/test', before, keys, [moved.key]);
  expect(after?.backends).toHaveLength(1000);
  expect(after?.backends[0]).toBe(before.backends[0]);
  expect(after?.backends[500]).toMatchObject({ address: '127.0.0.1:9' });
});
