/** The official servers, run as programs and called over the bridge: what was not admitted did not happen on disk. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Bridge, type McpContent } from "../../src/mcp/index.ts"
import * as H from "./http.ts"
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

const readOnly = { "*": { readOnly: true } } as const

/** Calls one tool of a server, approved, in a session of its own. */
const call = (server: string, tool: string, args: Parameters<Effect.Success<ReturnType<typeof W.clerk>>["call"]>[0]) =>
  Effect.gen(function*() {
    const bridge = yield* Bridge
    const { call } = yield* W.clerk(yield* bridge.tool(server, tool))
    return yield* call(args)
  })

const kindsOf = (seen: W.Seen): ReadonlyArray<McpContent.Item["type"]> =>
  seen._tag === "Result" ? seen.result.content.map(({ type }) => type) : []

describe("server-everything", () => {
  const body = Effect.gen(function*() {
    yield* W.approveAll("everything")
    assert.strictEqual(W.textOf(yield* call("everything", "echo", { message: "hi" })), "Echo: hi")
    assert.include(W.textOf(yield* call("everything", "get-sum", { a: 2, b: 40 })), "42")
    assert.deepInclude(yield* call("everything", "get-sum", { a: "two" }), { layer: "Malformed" })
    const image = yield* call("everything", "get-tiny-image", {})
    assert.include(kindsOf(image), "image")
    assert.notInclude(JSON.stringify(image), "iVBORw0KGgo")
    const links = yield* call("everything", "get-resource-links", { count: 2 })
    assert.deepStrictEqual(kindsOf(links), ["text", "link", "link"])
    const text = yield* call("everything", "get-resource-reference", { resourceType: "Text", resourceId: 1 })
    assert.include(kindsOf(text), "document")
    const blob = yield* call("everything", "get-resource-reference", { resourceType: "Blob", resourceId: 1 })
    assert.include(kindsOf(blob), "file")
    const weather = yield* call("everything", "get-structured-content", { location: "New York" })
    assert.isTrue(weather._tag === "Result" && weather.result.structured !== null)
    const bridge = yield* Bridge
    const tasks = (yield* bridge.shelf("everything")).find(({ tool }) => tool === "simulate-research-query")
    assert.strictEqual(tasks?.standing, "unfit")
  })

  it.live("answers in every kind of content, over standard input and output", () =>
    body.pipe(
      Effect.scoped,
      Effect.provide(W.runtime({ everything: { ...W.official("everything"), tools: readOnly } }))
    ))

  it.live("and over streamable HTTP", () =>
    Effect.gen(function*() {
      const url = yield* H.everything
      yield* body.pipe(Effect.scoped, Effect.provide(W.runtime({ everything: { url, tools: readOnly } })))
    }).pipe(Effect.scoped), 90_000)
})

describe("server-memory", () => {
  it.live("remembers what a person approved, and nothing else", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const file = join(path, "memory.jsonl")
      const notes = {
        ...W.official("memory"),
        env: { MEMORY_FILE_PATH: file },
        tools: { read_graph: { readOnly: true }, create_entities: {} }
      }
      const entities = [{ name: "disk", entityType: "thing", observations: ["is full"] }]
      yield* Effect.gen(function*() {
        yield* W.approveAll("notes")
        const bridge = yield* Bridge
        const { approve, ask } = yield* W.clerk(yield* bridge.tool("notes", "create_entities"))
        yield* ask({ entities })
        assert.isFalse(existsSync(file))
        const seen = yield* Effect.flatMap(approve, W.whole)
        assert.strictEqual(seen._tag, "Result", W.textOf(seen))
        assert.include(readFileSync(file, "utf8"), "is full")
        const graph = yield* call("notes", "read_graph", {})
        assert.include(W.textOf(graph), "is full")
      }).pipe(Effect.scoped, Effect.provide(W.runtime({ notes })))
    }).pipe(Effect.scoped))
})
