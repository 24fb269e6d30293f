import { defineConfig } from 'vitest/config';

/** The tests of what is deployed: a suite of their own, since they need an engine and its images. */
export default defineConfig({
  test: {
    include: ['test/deploy/**/*.test.ts'],
    // They share one engine, and say within which time things happen.
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
