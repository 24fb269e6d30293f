// package.json pins every dependency to one exact version.
import { expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };

const exactVersion = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

test.each(Object.entries(manifest.devDependencies))(
  '%s is pinned to an exact version',
  (_name, version) => {
    expect(version).toMatch(exactVersion);
  },
);
