import { configDefaults, defineConfig } from "vitest/config"

/** Tests that start the program, or install the package, as its users do; and those that kill processes of their own. */
export const ofTheProgram = [
  "test/door/*.test.ts",
  "test/examples/examples.test.ts",
  "test/layers/pglite/Folder.test.ts",
  "test/package/package.test.ts",
  "test/session/unknown.process.test.ts"
]

export default defineConfig({
  resolve: { conditions: ["aosiq-source"] },
  ssr: { resolve: { conditions: ["aosiq-source"] } },
  test: {
    root: `${import.meta.dirname}/..`,
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/chaos/**", "test/soak/**", ...ofTheProgram],
    // Most of them wait for processes and databases.
    maxWorkers: "100%",
    // Loading the runtime takes longer than most files: a worker loads it once. No module keeps what a test changes.
    isolate: false,
    globalSetup: [`${import.meta.dirname}/folder.ts`],
    // The programs that tests start are compiled once.
    env: { NODE_COMPILE_CACHE: `${import.meta.dirname}/../node_modules/.cache/aosiq/compiled` },
    reporters: ["default"],
    // Tests of real processes share a machine there, which may stall one of them for longer than it waits.
    retry: process.env["CI"] === "true" ? 2 : 0,
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
