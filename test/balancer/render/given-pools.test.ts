import { expect, test } from 'vitest';
import { givenPools } from '../../../src/balancer/render/given-pools.ts';
import { services } from '../../../src/options/service-values.ts';

const all = services('web=/test\napi=/prod/api');

function given(object: unknown) {
  const pools = givenPools(all, JSON.stringify(object));
  if (!pools.ok) throw new Error(pools.reason);
  const { served, setAside } = pools.value;
  return {
    served: served.map(({ service, backends }) => [
      service.name,
      ...backends.map(({ name, address, weight }) => `${name} ${address} ${weight}`),
    ]),
    setAside: setAside.map(({ key, reason }) => `${key}: ${reason}`),
  };
}

test('text and objects, each below the prefix of its service', () => {
  expect(
    given({
      '/test/b': '10.0.0.2:80\n',
      '/prod/api/a': { address: '10.0.0.3:80', weight: 5, meta: { zone: 'a' } },
      '/test/a': '10.0.0.1:80',
    }),
  ).toEqual({
    served: [
      ['web', 'a 10.0.0.1:80 1', 'b 10.0.0.2:80 1'],
      ['api', 'a 10.0.0.3:80 5'],
    ],
    setAside: [],
  });
});

test('what is no backend is set aside, with the reason that the balancer would give', () => {
  const { served, setAside } = given({
    '/other/a': '10.0.0.1:80',
    '/test': '10.0.0.1:80',
    '/testing/a': '10.0.0.1:80',
    'te\u001b\nst': '10.0.0.1:80',
    '/test/n': 5,
    '/test/l': ['10.0.0.1:80'],
    '/test/a/b': '10.0.0.1:80',
    '/test/c': 'localhost:80',
    '/test/d': { address: '10.0.0.1:80', weight: 0 },
    '/test/e': '10.0.0.1:80',
    '/test/f': '10.0.0.1:80',
  });
  expect(served).toEqual([['web', 'e 10.0.0.1:80 1'], ['api']]);
  expect(setAside).toEqual([
    '/other/a: key: it is not below /test/, /prod/api/',
    '/test: key: it is not below /test/, /prod/api/',
    '/testing/a: key: it is not below /test/, /prod/api/',
    'te\ufffd\ufffdst: key: it is not below /test/, /prod/api/',
    '/test/n: value: it is neither text nor an object',
    '/test/l: value: it is neither text nor an object',
    '/test/a/b: key: it is not directly below /test/',
    expect.stringMatching(/^\/test\/c: value: it is a name/),
    '/test/d: value: its "weight" is not a whole number from 1 to 1000',
    '/test/f: value: 10.0.0.1:80 is already the address of /test/e',
  ]);
});

test.each([
  ['', 'it is not JSON'],
  ['[]', 'it is not a JSON object'],
  ['{"/test/a":"10.0.0.1:80","/test/a":"10.0.0.2:80"}', 'a name stands in it twice'],
])('%j is not taken: %s', (text, reason) => {
  expect(givenPools(all, text)).toEqual({ ok: false, reason });
});
