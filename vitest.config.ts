import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests that spawn processes share the machine with each other, and its cores may be few.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
