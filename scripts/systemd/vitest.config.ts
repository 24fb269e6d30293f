import { defineConfig } from 'vitest/config';

/** The tests that need a real systemd: a suite of their own, since they need an engine. */
export default defineConfig({
  test: {
    include: ['test/systemd/**/*.test.ts'],
    maxWorkers: 1,
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
