/** `aosiq backends check` as users meet it: what it prints, whom it asks, and how it ends. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import { serve } from "../backend/Loopback.ts"
import { folder, run } from "./program.ts"

vi.setConfig({ testTimeout: 120_000 })

const secret = "sk-test-1234567890abcdef"
const answered = serve((_, response) => {
  response.writeHead(200, { "content-type": "application/json" })
  response.end("{}")
})

describe("aosiq backends check", () => {
  it.live("shows all of them as one document, asks those that it has a key for, and ends well whatever there is", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const server = yield* answered
      const env = { OPENAI_API_KEY: secret, OPENAI_BASE_URL: server.url, OLLAMA_HOST: server.url }
      const { code, err, out } = yield* run({ cwd, env }, "backends", "check", "--json")
      assert.strictEqual(code, 0, err)
      const found: ReadonlyArray<Record<string, any>> = JSON.parse(out)
      assert.deepStrictEqual(found.map(({ backend, reach }) => `${backend} ${reach.state}`), [
        "offline not_asked",
        "anthropic not_asked",
        "bedrock not_asked",
        "claude-code not_asked",
        "gemini not_asked",
        "ollama reachable",
        "openai reachable"
      ])
      assert.deepStrictEqual(server.asked.map(({ path }) => path).toSorted(), ["/api/show", "/models/gpt-5.5"])
      assert.isTrue(found.every(({ classes }) => classes.includes("OperationalAdvice")))
      assert.match(found[6]?.["price"].asOf, /^\d{4}-\d\d-\d\d$/)
      assert.notInclude(out + err, secret)
    }))

  it.live("asks nobody with --no-network, says what to do, and fails for one that is named and not ready", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const server = yield* answered
      const env = { OPENAI_API_KEY: secret, OPENAI_BASE_URL: server.url }
      const named = ["backends", "check", "--no-network", "--backend"]
      const ready = yield* run({ cwd, env }, ...named, "openai", "--model", "gpt-5-mini")
      assert.strictEqual(ready.code, 0, ready.err)
      assert.include(ready.out, "openai  ready\n")
      assert.include(ready.out, "  package   openai 7.57.0\n")
      assert.include(ready.out, "  key       set (OPENAI_API_KEY)\n")
      assert.include(ready.out, `  endpoint  ${server.url}\n`)
      assert.match(ready.out, /gpt-5-mini: \$[\d.]+ in, \$[\d.]+ out for a million tokens, as of \d{4}/)
      assert.lengthOf(server.asked, 0)
      const missing = yield* run({ cwd }, ...named, "gemini")
      assert.strictEqual(missing.code, 1)
      assert.include(missing.err, "error: not ready: gemini\nremedy: set GEMINI_API_KEY or GOOGLE_API_KEY")
      const wrong = yield* run({ cwd, env }, "backends", "check", "--model", "m")
      assert.strictEqual(wrong.code, 2)
      assert.lengthOf(server.asked, 0)
    }))
})
