import { defineConfig } from 'vitest/config';

/** The tests that reload an nginx in a container: a suite of their own, since they need an engine. */
export default defineConfig({
  test: {
    include: ['test/docker/**/*.test.ts'],
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
