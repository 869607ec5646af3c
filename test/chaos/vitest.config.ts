import { defineConfig } from "vitest/config"
import shared from "../vitest.config.ts"

/** Processes killed and databases with a bad day: minutes of it, and no part of `npm test`. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ["test/chaos/**/*.test.ts"], exclude: [], isolate: true }
})
