/** `aosiq start --backend`: the vendor is asked by the model's name, and what it says of the key is what the user reads. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serve } from "../backend/Loopback.ts"
import { wire as ollama } from "../layers/ollama/wire.ts"
import { key, wire as openai } from "../layers/openai/wire.ts"

const home = join(import.meta.dirname, "../..")

/** Starts the program; gives its exit code and what it wrote. */
const start = (args: ReadonlyArray<string>, environment: Record<string, string>) =>
  Effect.scoped(Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "aosiq-start-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true }))
    )
    return yield* Effect.callback<{ readonly code: number; readonly text: string }>((resume) => {
      execFile(
        process.execPath,
        ["layers/cli/bin.mjs", "start", "--once", "--data", join(folder, "data"), ...args],
        { cwd: home, env: { ...process.env, ...environment } },
        (error, stdout, stderr) =>
          resume(Effect.succeed({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }))
      )
    })
  }))

describe("a backend of the command line", () => {
  const vendors = [
    { wire: openai, environment: (url: string) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: key }) },
    { wire: ollama, environment: (url: string) => ({ OLLAMA_HOST: url }) }
  ]
  for (const { environment, wire } of vendors) {
    it.live(`${wire.name} is asked where its variable says, for the model that was named`, () =>
      Effect.gen(function*() {
        const server = yield* serve((_, response) => {
          const { body, headers, status } = wire.refuse("unauthorized", "go away")
          response.writeHead(status, headers)
          response.end(body)
        })
        const { code, text } = yield* start(
          ["--backend", wire.name, "--model", wire.model],
          environment(server.url)
        )
        assert.strictEqual(code, 1)
        assert.include(text, `${wire.name}/${wire.model}: Unauthorized: go away`)
        assert.strictEqual(server.asked[0]?.body["model"], wire.model)
        assert.lengthOf(server.asked, 1)
      }))
  }

  it.live("without a key is not started, and says what to set", () =>
    Effect.gen(function*() {
      const { code, text } = yield* start(["--backend", "gemini"], { GEMINI_API_KEY: "", GOOGLE_API_KEY: "" })
      assert.strictEqual(code, 1)
      assert.include(text, "error: gemini: there is no GEMINI_API_KEY\n")
      assert.include(text, "remedy: set GEMINI_API_KEY, or pass apiKey")
    }))
})
