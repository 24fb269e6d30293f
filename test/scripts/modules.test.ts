import { expect, test } from 'vitest';
import { modulesMatch } from '../../scripts/setup/modules.mjs';

const wanted = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/only-on-windows': { version: '1.0.0', integrity: 'sha512-w', optional: true },
  },
};
const a = wanted.packages['node_modules/a'];

test.each([
  ['all that this platform needs', { 'node_modules/a': a }, true],
  ['nothing', {}, false],
  ['another version', { 'node_modules/a': { ...a, version: '1.0.1' } }, false],
  ['another content', { 'node_modules/a': { ...a, integrity: 'sha512-b' } }, false],
  [
    'an old version of an optional package',
    { 'node_modules/a': a, 'node_modules/only-on-windows': { version: '0.9.0' } },
    false,
  ],
])('installed: %s', (_what, packages, current) => {
  expect(modulesMatch(wanted, { packages })).toBe(current);
});

test('a checkout in which nothing was installed', () => {
  expect(modulesMatch(wanted, undefined)).toBe(false);
});
