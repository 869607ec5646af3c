import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, type Scope } from "effect"
import { cpSync, existsSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { join } from "node:path"
import { vi } from "vitest"
import { type Anchor, Cosignature, Cosigning, Merkle, Note, Witness } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { anchorOf, dice, digest, hashOf, keys, signer } from "../audit/worlds.ts"
import { served } from "../layers/witness/http.ts"
import { copyData, type Ended, folder, run, type Running, start } from "./program.ts"

vi.setConfig({ testTimeout: 240_000 })

const log = Note.formatKey(digest, keys[0] ?? { name: "", publicKey: "" })

/** Times that a witness is started, and but for the last time killed. */
const lives = 6

interface Up {
  readonly process: Running
  readonly key: string
  readonly url: string
}
/** Starts a witness in `cwd`, on any port that is free. */
const witness = (cwd: string, ...args: ReadonlyArray<string>): Effect.Effect<Up, string, Scope.Scope> =>
  Effect.gen(function*() {
    const process = yield* start({ cwd }, "witness", "--data", "w", "--port", "0", "--json", "--log", log, ...args)
    const said = yield* process.says("}\n")
    const { key, url }: { readonly key: string; readonly url: string } = JSON.parse(said)
    return { process, key, url }
  })

/** An answer, or `undefined` when the witness went away first. */
const ask = (url: string, path: string, body?: string): Effect.Effect<{ status: number; text: string } | undefined> =>
  Effect.callback((resume) => {
    const out = request(`${url}${path}`, { method: body === undefined ? "GET" : "POST", agent: false }, (answer) => {
      let text = ""
      answer.setEncoding("utf8").on("data", (part) => text += part)
      answer.on("end", () => resume(Effect.succeed({ status: answer.statusCode ?? 0, text })))
      answer.on("error", () => resume(Effect.succeed(undefined)))
    })
    out.on("error", () => resume(Effect.succeed(undefined)))
    out.end(body)
  })

/** A history and one leaf more. */
const grown = (trees: ReadonlyArray<Anchor.Checked>, leaf: string): ReadonlyArray<Anchor.Checked> => [
  ...trees,
  anchorOf(signer, { sequence: trees.length, at: 1, before: trees.at(-1)?.after ?? Merkle.empty }, [
    { session: Claims.SessionId.make("s"), seq: trees.length + 1, hash: hashOf(leaf) }
  ])
]
const bodyOf = (trees: ReadonlyArray<Anchor.Checked>, old: number) =>
  Witness.formatRequest({
    old,
    proof: Cosigning.proofFrom(digest, trees, old) ?? [],
    checkpoint: trees.at(-1)?.anchor.checkpoint ?? ""
  })
const rootOf = (trees: ReadonlyArray<Anchor.Checked>) => trees.at(-1)?.checkpoint.root

const refused = (ended: Ended, detail: string, remedy: string, code = 1) => {
  assert.strictEqual(ended.code, code, ended.err)
  assert.include(ended.err, `error: ${detail}`)
  assert.include(ended.err, `remedy: ${remedy}`)
  assert.notMatch(ended.err, /^\s+at /m)
}

describe("aosiq witness", () => {
  it.live("killed again and again between requests, never signs two histories", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const d = dice(20_261_125)
      /** Every history that anybody ever asked it to sign, by root, and those that it signed. */
      const known = new Map<string, ReadonlyArray<Anchor.Checked>>()
      const signed: Array<ReadonlyArray<Anchor.Checked>> = []
      let key: string | undefined
      let killed = 0
      for (let life = 0; life < lives; life++) {
        yield* Effect.scoped(Effect.gen(function*() {
          const up = yield* witness(cwd, ...life === 0 ? ["--name", "witness.example/w1"] : [])
          assert.strictEqual(up.key, key ?? up.key)
          key = up.key
          const newest = yield* ask(up.url, `/checkpoint?origin=${encodeURIComponent(signer.name)}`)
          const root = newest?.status === 200 ? newest.text.split("\n")[2] : undefined
          const now = root === undefined ? [] : known.get(root) ?? assert.fail("it remembers what nobody asked")
          // What it remembers is never older than what it signed.
          for (const trees of signed) assert.isAtMost(trees.length, now.length)
          // Five histories that part from here, one that parts earlier, and longer ones on top of them.
          const next = Array.from({ length: 5 }, (_, i) => grown(now, `${life} ${i}`))
          const earlier = now.length === 0 ? [] : [grown(now.slice(0, -1), `${life} other`)]
          const longer = next.map((trees) => grown(trees, `${life} longer`))
          const all = [...next, ...earlier, ...longer, ...earlier.map((trees) => grown(trees, "longer"))]
          for (const trees of all) known.set(rootOf(trees) ?? "", trees)
          const asks = [...all, ...all, ...all].flatMap((trees) =>
            [now.length, now.length + 1].filter((old) => old <= trees.length).map((old) => ({ trees, old }))
          )
          const kill = Effect.gen(function*() {
            yield* Effect.sleep(d.roll(60))
            yield* up.process.signal("SIGKILL")
            killed++
          })
          const asking = Effect.forEach(asks, ({ old, trees }) =>
            Effect.map(ask(up.url, "/add-checkpoint", bodyOf(trees, old)), (answer) => {
              if (answer?.status === 200) {
                signed.push(trees)
              }
            }), { concurrency: 8 })
          yield* life === lives - 1 ? asking : Effect.all([asking, kill], { concurrency: "unbounded" })
          if (life < lives - 1) {
            yield* up.process.ended
          }
        }))
      }
      assert.strictEqual(killed, lives - 1)
      assert.isAbove(signed.length, 0)
      for (const a of signed) {
        for (const b of signed) {
          const [short, long] = a.length <= b.length ? [a, b] : [b, a]
          assert.strictEqual(rootOf(long.slice(0, short.length)), rootOf(short))
        }
      }
    }))

  it.live("does not start on what would let it sign what it refused before", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const again = (...args: ReadonlyArray<string>) =>
        run({ cwd }, "witness", "--data", "w", "--port", "0", "--log", log, ...args)
      refused(yield* again(), "a new witness has no name", "give it one with --name")
      refused(yield* again("--name", "a b"), "a b is not a name", "give it one with --name")
      assert.isFalse(existsSync(join(cwd, "w", "witness.json")))
      yield* Effect.scoped(Effect.gen(function*() {
        const up = yield* witness(cwd, "--name", "witness.example/w1")
        assert.match(up.url, /^http:\/\/127\.0\.0\.1:\d+/)
        refused(yield* again(), "process", "stop that process")
        const { status } = (yield* ask(up.url, "/add-checkpoint", bodyOf(grown([], "first"), 0))) ?? { status: 0 }
        assert.strictEqual(status, 200)
        const { port } = new URL(up.url)
        const other = yield* run({ cwd }, "witness", "--data", "other", "--name", "w2", "--log", log, "--port", port)
        refused(other, `nobody can listen on 127.0.0.1:${port}`, "choose another --port")
      }))
      refused(
        yield* again("--name", "witness.example/w2"),
        "the witness in w is named witness.example/w1",
        "leave its name as it is"
      )
      const losses = [["witness.json", "is gone"], ["keys.json", "the key of the witness in w is gone"]] as const
      for (const [file, detail] of losses) {
        cpSync(join(cwd, "w", file), join(cwd, "kept"))
        rmSync(join(cwd, "w", file))
        const ended = yield* again()
        assert.strictEqual(ended.code, 1)
        assert.include(ended.err, detail)
        assert.include(ended.err, "remedy: restore")
        cpSync(join(cwd, "kept"), join(cwd, "w", file))
      }
      const none = yield* run({ cwd }, "witness", "--data", "w", "--port", "0")
      refused(none, "a witness signs for the logs that it knows", "give the key of a log with --log", 2)
      refused(yield* again("--log", "nonsense"), "nonsense is not such a key", "give the key that the installation")
    }))

  it.live("stands by a log: co-signs it, and finds out when an older copy of it was restored", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const named = { cwd, env: { AOSIQ_ORIGIN: "example.com/log1" } }
      assert.include((yield* run(named, "start", "--once")).out, "chain verified")
      const key = (yield* run(named, "audit", "keys")).out.trim()
      assert.match(key, /^example\.com\/log1\+/)
      const logKey = Result.getOrThrow(Note.parseKey(digest, key))
      const up = yield* served(Witness.makeMemory(), [logKey])
      const word = Cosignature.formatKey(digest, up.key)
      const how = { cwd, env: { ...named.env, AOSIQ_WITNESSES: `${word}@${up.url}` } }

      const verified = yield* run(how, "audit", "verify")
      assert.strictEqual(verified.code, 0, verified.err)
      assert.include(verified.out, "rows that only the holder of the log vouches for")
      const exported = yield* run(how, "audit", "export", "record.jsonl", "--payloads=false")
      assert.strictEqual(exported.code, 0, exported.err)
      const bundle = yield* run({ cwd }, "verify", "record.jsonl", "--key", key, "--witness", word)
      assert.match(bundle.out, /co-signed up to anchor \d+ by witness.example\/w1/)
      assert.notInclude(bundle.out, "only the holder of the log")

      // An older copy of everything: log, anchors and keys.
      yield* copyData(join(cwd, ".aosiq"), join(cwd, "backup"))
      const later = yield* run(how, "start", "--once")
      assert.match(later.out, /co-signed up to anchor \d+/)
      const newest = yield* ask(up.url, `/checkpoint?origin=${encodeURIComponent("example.com/log1")}`)
      writeFileSync(join(cwd, "seen"), newest?.text ?? "")
      rmSync(join(cwd, ".aosiq"), { recursive: true })
      yield* copyData(join(cwd, "backup"), join(cwd, ".aosiq"))
      const restored = yield* run(how, "audit", "verify")
      assert.strictEqual(restored.code, 1, restored.out)
      assert.include(restored.out, "witness_contradicts")
      assert.include(restored.err, "the chain does not verify")
      // The same of the bundle from before, by what the witness gives to anybody.
      const old = yield* run({ cwd }, "verify", "record.jsonl", "--key", key, "--seen", "seen")
      assert.strictEqual(old.code, 1)
      assert.include(old.out, "anchor_missing")

      // Whoever comes later finds it among the alerts, even without the witness.
      const alerts = yield* run(named, "audit", "alerts")
      assert.strictEqual(alerts.code, 0, alerts.err)
      assert.include(alerts.out, "OPEN witness_contradicts (witness.example/w1)")
    }))
})
