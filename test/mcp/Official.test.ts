/** The official servers, run as programs and called over the bridge: what was not admitted did not happen on disk. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Bridge } from "../../src/mcp/index.ts"
import * as W from "./world.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "aosiq-mcp-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const files = (path: string): W.Servers => ({
  files: {
    ...W.official("filesystem", path),
    tools: { read_text_file: { readOnly: true }, write_file: {} }
  }
})

describe("server-filesystem", () => {
  it.live("reads without an approval, by the capability of that tool alone", () =>
    Effect.gen(function*() {
      const path = yield* folder
      writeFileSync(join(path, "a.txt"), "all is well")
      yield* Effect.gen(function*() {
        yield* W.approveAll("files")
        const bridge = yield* Bridge
        const read = yield* bridge.tool("files", "read_text_file")
        assert.strictEqual(read.name, "mcp__files__read_text_file")
        const { call } = yield* W.clerk(read, ["mcp:files@read_text_file"])
        assert.strictEqual(W.textOf(yield* call({ path: join(path, "a.txt") })), "all is well")
      }).pipe(Effect.scoped, Effect.provide(W.runtime(files(path))))
    }))

  it.live("does nothing for a token that lacks the capability", () =>
    Effect.gen(function*() {
      const path = yield* folder
      yield* Effect.gen(function*() {
        yield* W.approveAll("files")
        const bridge = yield* Bridge
        const write = yield* bridge.tool("files", "write_file")
        const { call } = yield* W.clerk(write, ["mcp:files@read_text_file"])
        const seen = yield* call({ path: join(path, "b.txt"), content: "x" })
        assert.deepInclude(seen, { _tag: "Refusal", layer: "token" })
        assert.isFalse(existsSync(join(path, "b.txt")))
      }).pipe(Effect.scoped, Effect.provide(W.runtime(files(path))))
    }))

  it.live("writes once, after a person approved it", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const target = join(path, "b.txt")
      yield* Effect.gen(function*() {
        yield* W.approveAll("files")
        const bridge = yield* Bridge
        const write = yield* bridge.tool("files", "write_file")
        const { approve, ask } = yield* W.clerk(write)
        const waiting = yield* ask({ path: target, content: "hello" })
        assert.strictEqual(waiting._tag, "Waiting")
        assert.isFalse(existsSync(target))
        const seen = yield* Effect.flatMap(approve, W.whole)
        assert.strictEqual(seen._tag, "Result")
        assert.strictEqual(readFileSync(target, "utf8"), "hello")
        const intents = (yield* W.rows(waiting.session)).filter(({ kind }) => kind === "intent")
        assert.strictEqual(intents.length, 1)
      }).pipe(Effect.scoped, Effect.provide(W.runtime(files(path))))
    }))
})
