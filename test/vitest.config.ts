import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    root: `${import.meta.dirname}/..`,
    include: ["test/**/*.test.ts"],
    reporters: ["default"],
    // Tests that start and kill real processes share a busy machine in CI.
    retry: process.env["CI"] === undefined ? 0 : 2,
    testTimeout: 60_000,
    hookTimeout: 120_000
  }
})
