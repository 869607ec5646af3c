import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, PlatformError, Stream } from "effect"
import { constants, gunzipSync, gzipSync } from "node:zlib"
import * as Bytes from "../../../layers/logfiles/Bytes.ts"
import * as Entries from "../../../layers/logfiles/Entries.ts"
import { LogFiles } from "../../../layers/logfiles/index.ts"
import * as Lines from "../../../layers/logfiles/Lines.ts"
import * as Paths from "../../../layers/logfiles/Paths.ts"
import * as Source from "../../../src/agents/advisor/Source.ts"
import * as Folder from "./Folder.ts"

const text = (...lines: ReadonlyArray<string>) => lines.map((line) => `${line}\n`).join("")
const numbered = (count: number) =>
  text(...Array.from({ length: count }, (_, i) => `2026-03-26T11:58:00Z INFO line ${i} of many`))

type Item = Source.LogEntry | Source.Gap
const isGap = (item: Item): item is Source.Gap => "remedy" in item
const isEntry = (item: Item): item is Source.LogEntry => "message" in item

const stream = (options: LogFiles.Options, window: Source.Window = {}) =>
  Stream.unwrap(Effect.map(Source.Logs, (logs) => logs.read({ window }))).pipe(
    Stream.provide(LogFiles.layer(options))
  )

const read = (options: LogFiles.Options, window: Source.Window = {}) =>
  Effect.map(Stream.runCollect(stream(options, window)), (items) => ({
    entries: items.filter(isEntry),
    messages: items.filter(isEntry).map((entry) => entry.message),
    gaps: items.filter(isGap)
  }))

const refused = (options: LogFiles.Options) => Effect.flip(read(options))

/** The real file system, except that this path may not be opened. */
const layerForbidding = (path: string) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => ({
      ...fs,
      stream: (opened: string, options?: Parameters<typeof fs.stream>[1]) =>
        opened === path ? Stream.fail(forbidden(path)) : fs.stream(opened, options)
    }))
  ).pipe(Layer.provideMerge(NodeServices.layer))

const forbidden = (path: string) =>
  PlatformError.systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "open", pathOrDescriptor: path })

const at = (second: number) => Date.UTC(2026, 2, 26, 11, 58, second)

describe("LogFiles, which files", () => {
  it.effect("reads text and JSON lines with time, level, file and message", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({
        "app.log": `2026-03-26T11:58:00Z ERROR it broke\n{"time":1774526280000,"level":"warn","msg":"slow"}\nplain`
      })
      const { entries, gaps } = yield* read({ paths: [`${folder}/app.log`] })
      const source = `${folder}/app.log`
      assert.deepStrictEqual(entries, [
        { at: at(0), level: "error", source, message: "ERROR it broke" },
        { at: at(0), level: "warn", source, message: "slow" },
        { at: null, level: "unknown", source, message: "plain" }
      ])
      assert.deepStrictEqual(gaps, [])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("a file stands for its rotated set, gzipped or not, unless told otherwise", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({
        "app.log": "now",
        "app.log.1": "yesterday",
        "app.log.2.gz": gzipSync("before"),
        "app.log-20260101": "new year",
        "app.log-20260102.gz": gzipSync("day two"),
        "app.log.bak": "no rotation",
        "app.logger": "another",
        "other.log.1": "another"
      })
      const { messages } = yield* read({ paths: [`${folder}/app.log`] })
      assert.sameMembers(messages, ["now", "yesterday", "before", "new year", "day two"])
      const alone = yield* read({ paths: [`${folder}/app.log`], rotated: false })
      assert.deepStrictEqual(alone.messages, ["now"])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("reads the rest of a set whose newest file is missing", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "app.log.1": "yesterday" })
      const { gaps, messages } = yield* read({ paths: [`${folder}/app.log`] })
      assert.deepStrictEqual(messages, ["yesterday"])
      assert.match(gaps[0]?.detail ?? "", /app\.log does not exist/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("reads folders with their sub-folders, and globs, each file once", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "a.log": "a", "nginx/error.log": "b", ".hidden": "c", "notes.txt": "d" })
      const all = yield* read({ paths: [folder] })
      assert.sameMembers(all.messages, ["a", "b", "d"])
      const logs = yield* read({ paths: [`${folder}/**/*.log`] })
      assert.sameMembers(logs.messages, ["a", "b"])
      const fs = yield* FileSystem.FileSystem
      yield* fs.symlink(`${folder}/a.log`, `${folder}/link.log`)
      const twice = yield* read({ paths: [folder, `${folder}/*.log`, `${folder}/a.log`] })
      assert.sameMembers(twice.messages, ["a", "b", "d"])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("lists a bounded number of files and levels, and says so", () =>
    Effect.gen(function*() {
      const names = Array.from({ length: Paths.maxFiles + 1 }, (_, i) => `many/${String(i).padStart(5, "0")}.log`)
      const deep = `${Array.from({ length: Paths.maxDepth + 1 }, () => "d").join("/")}/deep.log`
      const files = Object.fromEntries(names.map((name) => [name, "x"]))
      const folder = yield* Folder.make({ ...files, [`deep/${deep}`]: "y", "deep/top.log": "z" })
      const many = yield* read({ paths: [`${folder}/many`] })
      assert.strictEqual(many.entries.length, Paths.maxFiles)
      assert.match(many.gaps[0]?.detail ?? "", /02000\.log was not read: 2000 files are read at most/)
      const top = yield* read({ paths: [`${folder}/deep`] })
      assert.deepStrictEqual(top.messages, ["z"])
      assert.match(top.gaps[0]?.detail ?? "", /more than 8 folders deep/)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("LogFiles, bounded", () => {
  it.effect("joins a stack trace to the entry before it", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({
        "app.log": text(
          "2026-03-26T11:58:00Z ERROR request failed",
          "\tjava.lang.IllegalStateException: pool is empty",
          "\tat com.acme.Pool.take(Pool.java:12)",
          "",
          "Caused by: java.net.SocketException",
          "\t... 12 more",
          "2026-03-26T11:58:01Z INFO next"
        )
      })
      const { messages } = yield* read({ paths: [`${folder}/app.log`] })
      assert.strictEqual(messages.length, 2)
      assert.match(messages[0] ?? "", /^ERROR request failed\n\tjava.*\n\tat com.*\nCaused by.*\n\t\.\.\. 12 more$/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("bounds a joined entry and says what was left out", () =>
    Effect.gen(function*() {
      const trace = Array.from({ length: 3_000 }, () => `\tat com.acme.Endless.recursion(Endless.java:12)`)
      const folder = yield* Folder.make({ "app.log": text("ERROR deep", ...trace, "INFO next") })
      const { gaps, messages } = yield* read({ paths: [`${folder}/app.log`] })
      assert.strictEqual(messages.length, 2)
      assert.isAtMost(messages[0]?.length ?? Infinity, Entries.maxEntryLength)
      assert.match(gaps[0]?.detail ?? "", /continuation line\(s\) were left out/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("cuts a 10 MB line, says so, and reads on", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "app.log": text("INFO one", "x".repeat(10_000_000), "INFO three") })
      const { gaps, messages } = yield* read({ paths: [`${folder}/app.log`] })
      assert.deepStrictEqual(messages.map((message) => message.length), [8, Lines.maxLineBytes, 10])
      assert.deepStrictEqual(gaps.map((gap) => gap.source), [`${folder}/app.log`])
      assert.match(gaps[0]?.detail ?? "", /1 line\(s\) longer than 65536 bytes were cut there, first line 2/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("leaves a binary file out and says so", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "app.log": "fine", "wtmp": new Uint8Array([7, 0, 0, 0, 72, 105, 10]) })
      const { gaps, messages } = yield* read({ paths: [folder] })
      assert.deepStrictEqual(messages, ["fine"])
      assert.match(gaps[0]?.detail ?? "", /wtmp is not text/)
      assert.match(gaps[0]?.remedy ?? "", /UTF-8/)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("LogFiles, gzip", () => {
  const noise = Array.from({ length: 30_000 }, (_, i) => `INFO ${(i * 2_654_435_761 % 4_294_967_296).toString(36)}`)
  const packed = gzipSync(text(...noise))

  for (
    const [name, damaged] of [
      ["half a gzip", packed.subarray(0, packed.length >> 1)],
      ["a gzip without its last bytes", packed.subarray(0, -8)]
    ] as const
  ) {
    it.effect(`reads ${name} up to the break, then says so`, () =>
      Effect.gen(function*() {
        const folder = yield* Folder.make({ "app.log.gz": damaged })
        const { gaps, messages } = yield* read({ paths: [`${folder}/app.log.gz`] })
        const whole = gunzipSync(damaged, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
        assert.isAbove(messages.length, 10_000)
        assert.strictEqual(messages.join("\n"), whole.trimEnd())
        assert.deepStrictEqual(gaps.map((gap) => gap.source), [`${folder}/app.log.gz`])
        assert.match(gaps[0]?.detail ?? "", /not a whole gzip/)
      }).pipe(Effect.provide(NodeServices.layer)))
  }

  it.effect("reads a damaged gzip up to the last chunk before the damage, then says so", () =>
    Effect.gen(function*() {
      // Set bits after a header ask for a kind of block that there is not.
      const noBlock = Buffer.concat([packed.subarray(0, 10), Buffer.alloc(100_000, 0xff)])
      const folder = yield* Folder.make({ "app.log.gz": Buffer.concat([packed, noBlock]) })
      const { gaps, messages } = yield* read({ paths: [`${folder}/app.log.gz`] })
      assert.isAbove(messages.join("\n").length, noise.join("\n").length - Bytes.chunkBytes)
      assert.deepStrictEqual(messages.slice(0, -1), noise.slice(0, messages.length - 1))
      assert.match(gaps[0]?.detail ?? "", /not a whole gzip/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("reads a gzip of several members", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "app.log.gz": Buffer.concat([gzipSync("one\n"), gzipSync("two\n")]) })
      const { gaps, messages } = yield* read({ paths: [`${folder}/app.log.gz`] })
      assert.deepStrictEqual([messages, gaps], [["one", "two"], []])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("passes over the padding of a whole gzip", () =>
    Effect.gen(function*() {
      for (const padding of [10, 100_000]) {
        const folder = yield* Folder.make({ "app.log.gz": Buffer.concat([packed, Buffer.alloc(padding)]) })
        const { gaps, messages } = yield* read({ paths: [`${folder}/app.log.gz`] })
        assert.deepStrictEqual([messages, gaps], [noise, []])
      }
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("LogFiles, refused", () => {
  it.effect("says which file is missing, and fails only when nothing could be read", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "app.log": "fine", "empty/sub/.keep": "" })
      const { gaps, messages } = yield* read({ paths: [`${folder}/none.log`, `${folder}/app.log`, `${folder}/*.x`] })
      assert.deepStrictEqual(messages, ["fine"])
      assert.deepStrictEqual(gaps.map((gap) => gap.source), [`${folder}/none.log`, `${folder}/*.x`])

      const missing = yield* refused({ paths: [`${folder}/none.log`] })
      assert.strictEqual(missing.source, `logs:${folder}/none.log`)
      assert.strictEqual(missing.reason._tag, "Unreachable")
      assert.match(missing.reason.detail, /none\.log does not exist/)
      assert.match(missing.reason.remedy, /check the path/)
      assert.match((yield* refused({ paths: [`${folder}/empty/sub`] })).reason.detail, /holds no file/)
      assert.match((yield* refused({ paths: ["/dev/null"] })).reason.detail, /CharacterDevice, not a file/)
      assert.match((yield* refused({ paths: [] })).reason.detail, /no path of a log was given/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("fails as unreadable when the only file is no log", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "image.log": new Uint8Array([0x89, 0x50, 0, 0]), "text.gz": "not packed" })
      for (const name of ["image.log", "text.gz"]) {
        const error = yield* refused({ paths: [`${folder}/${name}`] })
        assert.strictEqual(error.reason._tag, "Unreadable")
        assert.include(error.reason.detail, name)
      }
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("says which file may not be read, and by whom it could be", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "app.log": "fine", "secure.log": "hidden" })
      const closed = `${folder}/secure.log`
      const { gaps, messages } = yield* read({ paths: [folder] }).pipe(Effect.provide(layerForbidding(closed)))
      assert.deepStrictEqual(messages, ["fine"])
      assert.deepStrictEqual(gaps, [{
        source: closed,
        detail: `${closed} may not be read by this user`,
        remedy: `run as a user who may read ${closed}, or grant this user read access to it`
      }])
      const error = yield* Effect.flip(read({ paths: [closed] }).pipe(Effect.provide(layerForbidding(closed))))
      assert.strictEqual(error.reason._tag, "Unreachable")
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("LogFiles, content", () => {
  it.effect("an empty file is a log without entries", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "app.log": "" })
      assert.deepStrictEqual(yield* read({ paths: [`${folder}/app.log`] }), { entries: [], messages: [], gaps: [] })
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("replaces what is not UTF-8, and reads CRLF and a byte order mark", () =>
    Effect.gen(function*() {
      const bytes = [...Buffer.from("\uFEFFINFO "), 0xff, 0xc3, 0x28, ...Buffer.from("\r\nINFO zwölf\r\n \r\n")]
      const folder = yield* Folder.make({ "app.log": Uint8Array.from(bytes) })
      const { messages } = yield* read({ paths: [`${folder}/app.log`] })
      assert.deepStrictEqual(messages, ["INFO \uFFFD\uFFFD(", "INFO zwölf"])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("ends where the file ended when the reading began, however fast it grows", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* Folder.make({ "app.log": numbered(20_000) })
      const file = `${folder}/app.log`
      const grow = fs.writeFileString(file, numbered(10_000), { flag: "a" })
      const counts = yield* stream({ paths: [file] }).pipe(
        Stream.chunks,
        Stream.tap(() => grow),
        Stream.map((entries) => entries.length),
        Stream.runCollect
      )
      assert.strictEqual(counts.reduce((sum, count) => sum + count, 0), 20_000)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("keeps entries of the window, its bounds and those without a time", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({
        "app.log": text(...[0, 1, 2, 3].map((s) => `2026-03-26T11:58:0${s}Z at ${s}`), "no time")
      })
      const inside = yield* read({ paths: [`${folder}/app.log`] }, { from: at(1), to: at(2) })
      assert.deepStrictEqual(inside.messages, ["at 1", "at 2", "no time"])
      const later = yield* read({ paths: [`${folder}/app.log`] }, { from: at(3) })
      assert.deepStrictEqual(later.messages, ["at 3", "no time"])
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("Lines", () => {
  it("are the same however the bytes are cut", () => {
    const bytes = Buffer.from("één\r\n\ntwee 🙂\nlast")
    for (let size = 1; size <= bytes.length; size++) {
      const lines: Array<string> = []
      const splitter = Lines.make((line) => lines.push(line))
      for (let start = 0; start < bytes.length; start += size) splitter.push(bytes.subarray(start, start + size))
      splitter.end()
      assert.deepStrictEqual(lines, ["één", "", "twee 🙂", "last"])
    }
  })

  it("longer than the bound are cut by as much as is said", () => {
    const seen: Array<readonly [number, number]> = []
    const splitter = Lines.make((line, cutBytes) => seen.push([line.length, cutBytes]))
    splitter.push(Buffer.from(`${"a".repeat(Lines.maxLineBytes)}\n${"b".repeat(Lines.maxLineBytes + 3)}`))
    splitter.push(Buffer.from("bb\nc\n"))
    splitter.end()
    assert.deepStrictEqual(seen, [[Lines.maxLineBytes, 0], [Lines.maxLineBytes, 5], [1, 0]])
  })
})
