/** How the program is started: with nothing of its own, nothing of the user's, and nothing that a neighbour can read. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ClaudeCode } from "../../../layers/claude-code/index.ts"
import { Failure } from "../../../src/backend/index.ts"
import { serve } from "../../backend/Loopback.ts"
import { fakeClaude } from "./fakeClaude.ts"
import { flag, key, wire } from "./wire.ts"

const raw = {
  toolkit: Toolkit.make(Tool.dynamic("look", { description: "looks", parameters: { type: "object" } })),
  disableToolCallResolution: true,
  toolCallValidation: "deferred"
} as const

const environment = (variables: Record<string, string>) =>
  Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(variables))

const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } }

/** Asks an MCP server. */
const post = (url: string, headers: Record<string, string>, method: string, params: object, signal: AbortSignal) =>
  globalThis.fetch(url, {
    method: "POST",
    signal,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
      ...headers
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })
  })

describe("the program", () => {
  it.live("has no tools, settings, servers or memory of its own, and may ask once", () =>
    Effect.gen(function*() {
      const server = yield* serve((_, response) => {
        const { body, headers, status } = wire.whole({ text: "ok" })
        response.writeHead(status, headers)
        response.end(body)
      })
      const { languageModel } = yield* wire.make(server.url, { maxOutputTokens: 100 })
      yield* languageModel.generateText({
        ...raw,
        prompt: [{ role: "system", content: "secret plan" }, { role: "user", content: "Hi" }]
      })
      const [asked] = server.asked
      assert.isDefined(asked)
      assert.strictEqual(flag(asked, "--tools"), "")
      assert.strictEqual(flag(asked, "--setting-sources"), "")
      assert.strictEqual(flag(asked, "--max-turns"), "1")
      assert.strictEqual(flag(asked, "--max-budget-usd"), "0.000001")
      assert.strictEqual(flag(asked, "--allowedTools"), "mcp__aosiq__look")
      for (const needed of ["--strict-mcp-config", "--no-session-persistence", "--disable-slash-commands"]) {
        assert.include(asked.body["argv"], needed)
      }
      // What neighbours can read holds neither key nor text, and the home that held them is gone.
      const line = asked.body["argv"].join(" ")
      assert.notInclude(line, key)
      assert.notInclude(line, "secret plan")
      assert.notInclude(line, "Bearer")
      assert.strictEqual(asked.body["system"], "secret plan")
      assert.strictEqual(asked.body["env"].HOME, asked.body["cwd"])
      assert.isFalse(existsSync(asked.body["cwd"]))
    }))

  it.live("is given nothing of the environment but the way to the vendor", () =>
    Effect.gen(function*() {
      const server = yield* serve((_, response) => {
        const { body, headers, status } = wire.whole({ text: "ok" })
        response.writeHead(status, headers)
        response.end(body)
      })
      const program = yield* fakeClaude
      const { languageModel } = yield* ClaudeCode.make({ model: "m", program, baseUrl: server.url }).pipe(environment({
        CLAUDE_CODE_OAUTH_TOKEN: "token-of-a-subscription",
        AWS_SECRET_ACCESS_KEY: "not-for-you",
        PATH: "/usr/bin:/bin"
      }))
      yield* languageModel.generateText({ prompt: "Hi" })
      const { env } = server.asked[0]?.body ?? {}
      assert.strictEqual(env.CLAUDE_CODE_OAUTH_TOKEN, "token-of-a-subscription")
      assert.isUndefined(env.ANTHROPIC_API_KEY)
      assert.isUndefined(env.AWS_SECRET_ACCESS_KEY)
      assert.strictEqual(env.CLAUDE_CODE_MAX_RETRIES, "0")
    }))

  it.live("cannot have a tool run: a call of one is never answered, and nobody without the key is told of any", () =>
    Effect.gen(function*() {
      const found = yield* Effect.promise(() => Promise.resolve(Promise.withResolvers<Record<string, any>>()))
      const server = yield* serve((asked) => found.resolve(asked.body["servers"].aosiq))
      const { languageModel } = yield* wire.make(server.url, {})
      yield* Effect.forkChild(languageModel.generateText({ ...raw, prompt: "Hi" }))
      const { headers, url } = yield* Effect.promise(() => found.promise)
      const call = (more: Record<string, string>) =>
        Effect.map(
          Effect.promise((signal) => post(url, more, "initialize", hello, signal)),
          ({ headers, status }) => ({ status, session: headers.get("mcp-session-id") ?? "" })
        )
      assert.strictEqual((yield* call({})).status, 401)
      assert.strictEqual((yield* call({ authorization: "Bearer guessed" })).status, 401)
      const { session, status } = yield* call(headers)
      assert.strictEqual(status, 200)
      const answered = yield* Effect.timeoutOption(
        Effect.promise((signal) =>
          post(
            url,
            { ...headers, ...(session === "" ? {} : { "mcp-session-id": session }) },
            "tools/call",
            { name: "look", arguments: {} },
            signal
          ).then((response) => response.text())
        ),
        "300 millis"
      )
      assert.strictEqual(answered._tag, "None")
    }))

  it.live("that does not know its options is told in its own words, and costs nothing", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "aosiq-old-"))
      const program = join(folder, "claude")
      writeFileSync(program, "#!/bin/sh\necho \"error: unknown option '--tools'\" >&2\nexit 1\n", { mode: 0o755 })
      const { languageModel } = yield* ClaudeCode.make({ model: "m", program, apiKey: Redacted.make(key) })
      const error = yield* Effect.flip(languageModel.generateText({ prompt: "Hi" }))
      rmSync(folder, { recursive: true })
      assert.strictEqual(Failure.kindOf(error.reason), "InvalidRequest")
      assert.include(error.message, "unknown option '--tools'")
    }))
})

describe("a backend", () => {
  it.live("is not made without the program or a key, and says what would help", () =>
    Effect.gen(function*() {
      const nowhere = yield* Effect.flip(
        ClaudeCode.make({ model: "m", apiKey: Redacted.make(key) }).pipe(environment({ PATH: "/nowhere" }))
      )
      assert.strictEqual(nowhere.reason._tag, "MissingProgram")
      assert.include(nowhere.message, "npm install -g @anthropic-ai/claude-code")
      const program = yield* fakeClaude
      const keyless = yield* Effect.flip(ClaudeCode.make({ model: "m", program }).pipe(environment({})))
      assert.strictEqual(keyless.reason._tag, "MissingKey")
      assert.include(keyless.message, "CLAUDE_CODE_OAUTH_TOKEN")
    }))

  it.live("does not offer a tool whose name the vendor cannot take", () =>
    Effect.gen(function*() {
      const program = yield* fakeClaude
      const { languageModel } = yield* ClaudeCode.make({ model: "m", program, apiKey: Redacted.make(key) })
      const toolkit = Toolkit.make(Tool.dynamic("x".repeat(60), { parameters: { type: "object" } }))
      const error = yield* Effect.flip(languageModel.generateText({ ...raw, prompt: "Hi", toolkit }))
      assert.strictEqual(error.reason._tag, "ToolConfigurationError")
    }))
})
