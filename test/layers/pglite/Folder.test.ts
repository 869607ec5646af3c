import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Option } from "effect"
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { FolderError, holder, PgliteClient } from "../../../layers/pglite/index.ts"
import { acquire } from "../../../layers/pglite/Lock.ts"
import { Log } from "../../../src/audit/index.ts"
import { Store } from "../../../src/governor/index.ts"
import * as C from "../../governor/commits.ts"
import { logOn, migrated } from "../sql/databases.ts"
import { start } from "./processes.ts"

const lockProgram = new URL("lockProgram.ts", import.meta.url)
const dataProgram = new URL("dataProgram.ts", import.meta.url)

const folder = Effect.flatMap(
  FileSystem.FileSystem,
  (fs) => fs.makeTempDirectoryScoped({ prefix: "aosiq-folder-" })
).pipe(Effect.provide(NodeServices.layer), Effect.orDie)

/** The number of a process that has lived and died. */
const deadPid = () => spawnSync(process.execPath, ["-e", ""]).pid

const locks = (path: string) => readdirSync(path).filter((name) => name.startsWith("lock"))

describe("the lock of a data folder", () => {
  it.live("makes the folder, for its user alone, and holds it until the scope closes", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "deep", "data")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* acquire(path)
        assert.strictEqual(statSync(path).mode & 0o777, 0o700)
        assert.strictEqual(holder(path), process.pid)
      }))
      assert.strictEqual(holder(path), undefined)
      yield* Effect.scoped(acquire(path))
      assert.lengthOf(locks(path), 1)
    }))

  it.live("refuses a second time in the same process", () =>
    Effect.gen(function*() {
      const path = yield* folder
      yield* acquire(path)
      const error = yield* Effect.flip(Effect.scoped(acquire(path)))
      assert.strictEqual(error.holder, process.pid)
      assert.strictEqual(holder(path), process.pid)
    }))

  it.live("says that a folder which was never made is free", () =>
    Effect.gen(function*() {
      assert.strictEqual(holder(join(yield* folder, "nothing")), undefined)
    }))

  it.live("replaces the lock of a process that is dead, and of one whose number another has now", () =>
    Effect.gen(function*() {
      for (const stale of [`${deadPid()} 12345`, `${process.pid} 1`, "", "no number", "-1 5"]) {
        const path = yield* folder
        writeFileSync(join(path, "lock.7"), stale)
        assert.strictEqual(holder(path), undefined, stale)
        yield* Effect.scoped(acquire(path))
        assert.deepStrictEqual(locks(path), ["lock.8"])
      }
    }))

  it.live("refuses while another process has it, with what to do, and takes it when that process is gone", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const other = yield* start(lockProgram, [path])
      yield* other.said((line) => line === `won ${path}`)
      const error = yield* Effect.flip(Effect.scoped(acquire(path)))
      assert.instanceOf(error, FolderError)
      assert.deepInclude(error, { folder: path, holder: other.pid })
      assert.include(error.detail, String(other.pid))
      assert.include(error.remedy, "--data")
      assert.strictEqual(holder(path), other.pid)
      yield* other.kill("SIGKILL")
      yield* other.ended
      yield* acquire(path)
      assert.strictEqual(holder(path), process.pid)
    }))

  it.live("takes over from a process that was killed and that nobody has buried yet", () =>
    Effect.gen(function*() {
      const path = yield* folder
      // The shell starts a child, kills it, and sleeps without looking at it.
      const shell = `sleep 60 & echo $!; kill -9 $!; exec sleep 60`
      const child = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const { spawn } = await import("node:child_process")
          const parent = spawn("sh", ["-c", shell], { stdio: ["ignore", "pipe", "ignore"] })
          const [pid] = await parent.stdout.take(1).toArray()
          return { parent, pid: Number(String(pid).trim()) }
        }),
        ({ parent }) => Effect.sync(() => parent.kill("SIGKILL"))
      )
      const stat = `/proc/${child.pid}/stat`
      if (!existsSync(stat)) return // Only Linux tells.
      yield* Effect.repeat(Effect.sync(() => readFileSync(stat, "utf8")), {
        until: (text) => text.includes(") Z "),
        times: 10_000
      })
      writeFileSync(join(path, "lock.1"), `${child.pid} `)
      yield* Effect.scoped(acquire(path))
    }))

  it.live("refuses a folder that it may not write, with what to do", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const isRoot = process.getuid?.() === 0
      chmodSync(path, isRoot ? 0o755 : 0o500)
      // To root nothing is read-only: somebody else tries.
      const program = yield* start(lockProgram, [path, join(path, "below")], isRoot ? { uid: 65_534 } : {})
      yield* program.said((line) => line === "done")
      assert.lengthOf(program.lines, 3)
      for (const line of program.lines.slice(0, 2)) {
        const error = JSON.parse(line) as FolderError
        assert.deepInclude(error, { _tag: "FolderError", holder: null })
        assert.include(error.detail, "EACCES")
        assert.include(error.remedy, "AOSIQ_DATA")
      }
      assert.deepStrictEqual(readdirSync(path), [])
    }))

  it.live("refuses a claim that it cannot read", () =>
    Effect.gen(function*() {
      const path = yield* folder
      mkdirSync(join(path, "lock.3"))
      const error = yield* Effect.flip(Effect.scoped(acquire(path)))
      assert.include(error.detail, "EISDIR")
    }))

  it.live("goes to one of several processes that start at the same moment, stale lock or not", () =>
    Effect.gen(function*() {
      const parent = yield* folder
      const folders = Array.from({ length: 12 }, (_, index) => join(parent, `data-${index}`))
      for (const [index, path] of folders.entries()) {
        mkdirSync(path)
        if (index % 2 === 0) writeFileSync(join(path, "lock.1"), `${deadPid()} 1`)
      }
      const first = Date.now() + 4000
      const orders = folders.map((path, index) => `${path}@${first + index * 40}`)
      const racers = yield* Effect.forEach([1, 2, 3, 4], () => start(lockProgram, orders))
      yield* Effect.forEach(racers, (racer) => racer.said((line) => line === "done"), { concurrency: "unbounded" })
      for (const path of folders) {
        const winners = racers.filter((racer) => racer.lines.includes(`won ${path}`))
        assert.lengthOf(winners, 1, path)
        assert.strictEqual(holder(path), winners[0]?.pid)
        assert.lengthOf(locks(path), 1)
      }
    }))
})

describe("a data folder", () => {
  it.live(
    "refuses a second process, survives the death of the first, and has every acknowledged row",
    () =>
      Effect.gen(function*() {
        const path = yield* folder
        const first = yield* start(dataProgram, [path, "first"])
        yield* first.said((line) => line === "ready")

        const second = yield* start(dataProgram, [path, "second"])
        const end = yield* second.ended
        assert.isAbove(end.code ?? 0, 0)
        const error = JSON.parse(second.lines.at(-1) ?? "{}") as FolderError
        assert.deepInclude(error, { _tag: "FolderError", holder: first.pid })
        assert.include(error.remedy, "another folder")

        // The first goes on, and is killed in the middle of its work.
        const before = first.lines.length
        yield* first.said((line) => Number(line) > before + 100)
        yield* first.kill("SIGKILL")
        assert.strictEqual((yield* first.ended).signal, "SIGKILL")
        const acknowledged = first.lines.slice(1).map(Number)
        assert.isAbove(acknowledged.length, 100)

        yield* Effect.gen(function*() {
          const log = yield* Log.Log
          const store = yield* Store.Store
          assert.strictEqual(holder(path), process.pid)
          const id = C.sessionId("first")
          const rows = yield* log.rows(id)
          assert.deepStrictEqual(C.faults(rows, Option.getOrThrow(yield* log.session(id))), [])
          const there = new Set(rows.map((row) => row.seq))
          assert.deepStrictEqual(acknowledged.filter((seq) => !there.has(seq)), [])
          assert.deepStrictEqual((yield* log.sessions).map((session) => session.id), [id])
          // Whatever had begun is unknown to the next run.
          yield* store.commit(C.claim(id))
          const after = yield* log.rows(id)
          assert.strictEqual(
            after.filter((row) => row.body.kind === "unknown").length,
            rows.filter((row) => row.body.kind === "intent").length
          )
          assert.deepStrictEqual(C.faults(after), [])
        }).pipe(Effect.provide(logOn(migrated(PgliteClient.layer(path)))))
      }),
    60_000
  )

  it.live("lets nobody but its user come as far as the database, whoever made the folder", () =>
    Effect.gen(function*() {
      const path = yield* folder
      chmodSync(path, 0o755)
      yield* Effect.scoped(Layer.build(PgliteClient.layer(path)))
      assert.strictEqual(statSync(join(path, "pg")).mode & 0o777, 0o700)
      // One of an earlier version is closed when it is opened.
      chmodSync(join(path, "pg"), 0o755)
      yield* Effect.scoped(Layer.build(PgliteClient.layer(path)))
      assert.strictEqual(statSync(join(path, "pg")).mode & 0o777, 0o700)
    }))

  it.live("is refused when its database does not open, with what to do", () =>
    Effect.gen(function*() {
      const path = yield* folder
      mkdirSync(join(path, "pg"))
      writeFileSync(join(path, "pg", "PG_VERSION"), "9")
      const error = yield* Effect.flip(Effect.scoped(Effect.provide(Effect.void, PgliteClient.layer(path))))
      assert.deepInclude(error, { _tag: "FolderError", holder: null })
      if (error instanceof FolderError) assert.include(error.remedy, "backup")
      assert.strictEqual(holder(path), undefined)
    }))
})
