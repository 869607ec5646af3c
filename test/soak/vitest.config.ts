import { defineConfig } from "vitest/config"
import shared from "../vitest.config.ts"

/** The long tests, which are no part of `npm test`. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ["test/soak/**/*.test.ts"],
    exclude: [],
    isolate: true,
    testTimeout: 3_600_000,
    retry: 0
  }
})
