import { configDefaults, defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    root: `${import.meta.dirname}/..`,
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/soak/**"],
    reporters: ["default"],
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
