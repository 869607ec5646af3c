import { configDefaults, defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["aosiq-source"] },
  ssr: { resolve: { conditions: ["aosiq-source"] } },
  test: {
    root: `${import.meta.dirname}/..`,
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/soak/**"],
    reporters: ["default"],
    // Tests of real processes share a machine there, which may stall one of them for longer than it waits.
    retry: process.env["CI"] === "true" ? 2 : 0,
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
