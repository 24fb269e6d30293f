import { defineConfig } from 'vitest/config';
import { LastLines } from './test/support/reporter.ts';

/** What starts real programs; everything else under test/ is pure and quick. */
const withRealPrograms = ['test/{integration,parts,faults}/**/*.test.ts'];

export default defineConfig({
  test: {
    // Three processes a file and two cores: more at once would only make deadlines late.
    maxWorkers: 2,
    reporters: ['default', new LastLines()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...withRealPrograms, 'test/{docker,systemd,deploy}/**'],
        },
      },
      {
        test: {
          name: 'integration',
          include: withRealPrograms,
          globalSetup: 'test/support/global-setup.ts',
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
