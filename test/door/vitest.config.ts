import { defineConfig } from "vitest/config"
import shared, { ofTheProgram } from "../vitest.config.ts"

/** The program and the package as their users have them, each test with processes of its own: no part of `npm test`. */
export default defineConfig({
  ...shared,
  test: { ...shared.test, include: ofTheProgram, exclude: [], isolate: true }
})
