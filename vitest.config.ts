import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // By default one core is left idle, which on two is half of them.
    maxWorkers: 2,
    // Tests that spawn processes share the machine with each other, and its cores may be few.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
